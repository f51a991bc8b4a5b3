"""What the names in a store mean, in a few words; docs/cli.md and docs/conventions.md say more."""

from __future__ import annotations

FAILURES = {
    "open": "not a video, damaged beyond its header, or not there",
    "no_video_stream": "holds no video",
    "no_motion_vectors": "decodes, but without motion vectors",
    "no_frames": "not one frame could be decoded",
    "decode": "damage that leaves nothing usable, or too many frames",
    "timeout": "took longer than its time",
    "crash": "its worker died, or met an unforeseen error",
    "memory": "needed more memory than there was",
    "io": "the file could not be read or fetched",
    "tracks": "its file of detections or tracks cannot be used",
}

FLAGS = {
    "KEY_FRAME": "key frames",
    "HAS_VECTORS": "with motion vectors",
    "PROPAGATED": "propagated: no motion of their own, the box comes from its neighbours",
    "SCENE_CUT": "scene cuts",
    "CORRUPT": "damaged, as the decoder reports",
    "FALLBACK": "fallback: nothing moves so far, the box is the centre box",
}

RISKS = {
    "edit_list": "packets marked to be discarded; decord gives other frames",
    "transport_stream": "MPEG transport stream, without a frame table",
    "packed_b_frames": "MPEG-4 part 2 with B-frames in AVI; two frames may share a packet",
    "avi_b_frames": "B-frames in AVI, which has no presentation times; decord gives other frames",
    "variable_rate": "variable frame rate; time times fps is no index",
    "header_count": "the header's frame count is wrong",
    "lost_packets": "packets that could not be decoded",
    "size_changes": "pictures of more than one size",
}
