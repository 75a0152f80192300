//! The bytes of a file: an image's, holes, and what was written over both.
//!
//! A file is cut into chunks of 64 KiB. A chunk that was never written is the image's bytes there, and zeros after
//! them; nothing is held for it. The first write to a chunk copies what the image has of it. A written chunk is as
//! long as what was written needs, rounded up to a power of two; after its end it reads as zeros.
//!
//! Kept true: bytes of a written chunk at or after the file's size are zero, and the image's part ends at the size.

use std::collections::BTreeMap;

use crate::bounds::CHUNK_COST;

/// Bytes of a whole chunk.
pub const CHUNK: usize = 64 << 10;

/// Shortest written chunk.
const SHORTEST: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Content {
    size: u64,
    image: &'static [u8],
    written: BTreeMap<u64, Box<[u8]>>,
}

/// A part of one chunk: `from..to` of chunk `index`.
struct Span {
    index: u64,
    from: usize,
    to: usize,
}

impl Content {
    /// A file that starts as `image`.
    pub(crate) fn of_image(image: &'static [u8]) -> Self {
        Self { size: image.len() as u64, image, written: BTreeMap::new() }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// What the written chunks count for.
    pub(crate) fn cost(&self) -> usize {
        self.written.values().map(|chunk| CHUNK_COST + chunk.len()).sum()
    }

    /// Fills `buffer` from `offset` on, as far as the file goes; how far that was.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let mut rest = buffer.get_mut(..count).unwrap_or_default();
        for span in spans(offset, count) {
            let (here, after) = rest.split_at_mut(span.to - span.from);
            let source =
                self.written.get(&span.index).map_or_else(|| self.image_of(span.index), |chunk| &**chunk);
            copy_then_zeros(here, source.get(span.from..).unwrap_or_default());
            rest = after;
        }
        count
    }

    /// What `len` bytes written at `offset` would count for, beyond what is held.
    pub(crate) fn growth(&self, offset: u64, len: usize) -> usize {
        spans(offset, len).map(|span| self.chunk_growth(&span)).sum()
    }

    /// Makes room for `len` bytes at `offset`, without a visible change. Out of memory, it gives what it did make.
    pub(crate) fn reserve(&mut self, offset: u64, len: usize) -> Result<(), usize> {
        let mut made = 0;
        for span in spans(offset, len) {
            let growth = self.chunk_growth(&span);
            if growth > 0 {
                self.grow_chunk(&span).ok_or(made)?;
                made += growth;
            }
        }
        Ok(())
    }

    /// Writes `bytes` at `offset`, where there is room for them.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut rest = bytes;
        for span in spans(offset, bytes.len()) {
            let (here, after) = rest.split_at(span.to - span.from);
            if let Some(target) =
                self.written.get_mut(&span.index).and_then(|chunk| chunk.get_mut(span.from..span.to))
            {
                target.copy_from_slice(here);
            }
            rest = after;
        }
        self.size = self.size.max(offset.saturating_add(bytes.len() as u64));
    }

    /// Cuts the file, or lets it end in a hole; what that frees.
    pub(crate) fn resize(&mut self, size: u64) -> usize {
        let freed = if size < self.size { self.cut(size) } else { 0 };
        self.size = size;
        freed
    }

    fn cut(&mut self, size: u64) -> usize {
        let length = usize::try_from(size).unwrap_or(usize::MAX);
        self.image = self.image.get(..length).unwrap_or(self.image);
        let removed = self.written.split_off(&size.div_ceil(CHUNK as u64));
        let freed: usize = removed.values().map(|chunk| CHUNK_COST + chunk.len()).sum();
        freed + self.cut_chunk(size)
    }

    /// Cuts the chunk that `size` falls into; what that frees.
    fn cut_chunk(&mut self, size: u64) -> usize {
        let keep = within(size);
        let Some(chunk) = self.written.get_mut(&(size / CHUNK as u64)) else { return 0 };
        let before = chunk.len();
        chunk.get_mut(keep..).unwrap_or_default().fill(0);
        if rounded(keep) < before {
            let mut shorter = core::mem::take(chunk).into_vec();
            shorter.truncate(rounded(keep));
            *chunk = shorter.into_boxed_slice();
        }
        before - chunk.len()
    }

    fn chunk_growth(&self, span: &Span) -> usize {
        match self.written.get(&span.index) {
            Some(chunk) if chunk.len() >= span.to => 0,
            Some(chunk) => rounded(span.to) - chunk.len(),
            None => CHUNK_COST + rounded(span.to.max(self.image_of(span.index).len())),
        }
    }

    fn grow_chunk(&mut self, span: &Span) -> Option<()> {
        let old = self.written.get(&span.index).map_or_else(|| self.image_of(span.index), |chunk| &**chunk);
        let length = rounded(span.to.max(old.len()));
        let mut grown = Vec::new();
        grown.try_reserve_exact(length).ok()?;
        grown.extend_from_slice(old);
        grown.resize(length, 0);
        self.written.insert(span.index, grown.into_boxed_slice());
        Some(())
    }

    /// What the image has of a chunk.
    fn image_of(&self, index: u64) -> &'static [u8] {
        let start = usize::try_from(index.saturating_mul(CHUNK as u64)).unwrap_or(usize::MAX);
        let rest = self.image.get(start..).unwrap_or_default();
        rest.get(..CHUNK).unwrap_or(rest)
    }

    /// Whether what the module's docstring says is kept true is true.
    pub(crate) fn is_sound(&self) -> bool {
        let image = self.image.len() as u64 <= self.size;
        let lengths = self.written.values().all(|chunk| chunk.len() == rounded(chunk.len()));
        image && lengths && self.written.iter().all(|(index, chunk)| self.ends_in_zeros(*index, chunk))
    }

    fn ends_in_zeros(&self, index: u64, chunk: &[u8]) -> bool {
        let inside = self.size.saturating_sub(index.saturating_mul(CHUNK as u64));
        let inside = usize::try_from(inside).unwrap_or(usize::MAX);
        chunk.iter().skip(inside).all(|byte| *byte == 0)
    }
}

/// The parts of chunks that `len` bytes at `offset` lie in. Their lengths add up to `len`.
fn spans(offset: u64, len: usize) -> impl Iterator<Item = Span> {
    let mut at = offset;
    let mut left = len;
    core::iter::from_fn(move || {
        let from = within(at);
        let to = CHUNK.min(from.saturating_add(left));
        let span = (left > 0).then_some(Span { index: at / CHUNK as u64, from, to });
        left -= to - from;
        at = at.saturating_add((to - from) as u64);
        span
    })
}

/// Where in its chunk `offset` lies.
fn within(offset: u64) -> usize {
    // Below CHUNK, so that it fits.
    usize::try_from(offset % CHUNK as u64).unwrap_or(0)
}

/// The length of a written chunk that is to hold `length` bytes, at most [`CHUNK`].
fn rounded(length: usize) -> usize {
    length.next_power_of_two().clamp(SHORTEST, CHUNK)
}

fn copy_then_zeros(target: &mut [u8], source: &[u8]) {
    let (copied, zeros) = target.split_at_mut(source.len().min(target.len()));
    copied.copy_from_slice(source.get(..copied.len()).unwrap_or_default());
    zeros.fill(0);
}
