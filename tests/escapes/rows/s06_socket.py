"""S06: a socket of every domain and type."""

from escapes.harness import Native, Row, denied

AF_UNIX, AF_INET = 1, 2
STREAM, DATAGRAM, RAW, SEQPACKET = 1, 2, 3, 5
# Anybody may make these, with any kernel that has a network.
ORDINARY = {(AF_UNIX, STREAM), (AF_UNIX, DATAGRAM), (AF_UNIX, SEQPACKET), (AF_INET, STREAM), (AF_INET, DATAGRAM)}

ROW = Row(
    id="S06",
    title="a socket of any kind",
    layers=("process",),
    attempts=tuple(
        Native(
            name=f"{domain}-{kind}",
            words=(str(domain), str(kind)),
            expected=denied("socket", domain, kind),
            no_control="" if (domain, kind) in ORDINARY else "a privilege, or a protocol that a kernel need not have",
        )
        for domain in range(47)
        for kind in (STREAM, DATAGRAM, RAW, SEQPACKET)
    ),
)
