"""Files that go into a brane and come out of it, on the owner's side.

- `bounds`: how much a tree may hold, and which names (pure)
- `links`: where symlinks lead (pure)
- `image`: a tree as bytes, and its digest (pure)
- `held`: descriptors that one owner holds, whatever interrupts it
- `blobs`: contents written into a memfd, each once, and the seal
- `scan`: what lies below a folder, by name and stamp
- `ingest`: a folder as a sealed image
- `late`: everything that one run brings along, as a sealed image
- `take`: what a brane hands back, written to disk
"""
