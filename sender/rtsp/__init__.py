"""The direct RTSP reader: session, RTP, depacketisers, and a decoder that waits for nothing.

A picture's way, file by file:

* `session` opens and closes everything. Its connection is a `line`, which waits at a `watch` and
  has an `inbox` that cuts bytes into packets and messages (`message`).
* To open it a `handshake` is made, a `conversation` of requests (`login`, `sdp`, `transport`).
* A `flow` then gives packets (`rtp`), off the line or off UDP's `ports`, and heeds the camera's
  reports (`rtcp`); `upkeep` keeps the camera sending, and reports our `reception` to it.
* `order` puts packets in order, a `depacketiser` makes access units (`unit`) of them: `h264` and
  `h265`, which share `nal`, or `jpeg` with its `jpeg_header`. A `decoder` makes those pictures.

`sender.sources.rtsp_direct` joins the two halves.
"""
