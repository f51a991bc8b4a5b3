"""Short meanings of the names in a store; docs/cli.md and docs/conventions.md have the details."""

from __future__ import annotations

FAILURES = {
    "open": "not a video, damaged beyond its header, or missing",
    "no_video_stream": "has no video stream",
    "no_motion_vectors": "decodes, but without motion vectors",
    "no_frames": "no frame could be decoded",
    "decode": "too damaged to use, or too many frames",
    "timeout": "exceeded its time limit",
    "crash": "its worker died or hit an unexpected error",
    "memory": "ran out of memory",
    "io": "the file could not be read or fetched",
    "tracks": "its file of detections or tracks is unusable",
}

FLAGS = {
    "KEY_FRAME": "key frames",
    "HAS_VECTORS": "with motion vectors",
    "PROPAGATED": "propagated: no motion of their own, the box comes from its neighbours",
    "SCENE_CUT": "scene cuts",
    "CORRUPT": "damaged, according to the decoder",
    "FALLBACK": "fallback: nothing has moved yet, the box is the centre box",
}

RISKS = {
    "edit_list": "packets marked to be discarded; decord returns other frames",
    "transport_stream": "MPEG transport stream, without a frame table",
    "packed_b_frames": "MPEG-4 part 2 with B-frames in AVI; two frames may share a packet",
    "avi_b_frames": "B-frames in AVI, which has no presentation times; decord returns other frames",
    "open_gop": "open groups of pictures; decord returns other frames after a seek, with the right count",
    "variable_rate": "variable frame rate; time times fps is not the frame index",
    "header_count": "the header's frame count is wrong",
    "lost_packets": "packets that could not be decoded",
    "ends_early": "fewer bytes or frames than the container promises",
    "several_streams": "more than one video stream; readers that take the best one may take another",
    "frame_orientation": "frames that state another orientation than the container",
    "size_changes": "frames of more than one size",
}
