"""The direct RTSP reader: session, RTP, depacketisers, and a decoder that waits for nothing."""
