"""What is counted while a file is read, and what it says about the numbering of its frames."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from mgmtool.types import Orientation, VideoInfo

_B = int(PictureType.B)
_INTER = frozenset(map(int, (PictureType.P, PictureType.B, PictureType.S)))


@dataclass(slots=True)
class FrameCounts:
    """Counts of frames and packets up to now; complete once the frames are exhausted.

    Attributes
    ----------
    frames, corrupt_frames, b_frames, inter_frames : int
        Frames decoded; of these, those the decoder calls damaged, B-frames, and frames predicted from others.
    lost_packets : int
        Packets that could not be decoded. A file that ends early has at least one.
    discarded_packets : int
        Packets that the container marks to be discarded.
    leading_packets : int
        Packets that follow a key frame in the file but are shown before it: the mark of an open GOP.
    size_changes : int
        How often the size of the frames changed.
    steps : set of int
        At most three different distances between time stamps.
    orientations : set of Orientation
        What the frames themselves say about their orientation.
    last_error : str
        What was last wrong with a packet, in FFmpeg's words.
    early_end : str
        What is missing, if the file has fewer bytes or frames than its container promises.
    partial_packet : bool
        Whether the last packet is incomplete.
    """

    frames: int = 0
    corrupt_frames: int = 0
    b_frames: int = 0
    inter_frames: int = 0
    lost_packets: int = 0
    discarded_packets: int = 0
    leading_packets: int = 0
    size_changes: int = 0
    steps: set[int] = field(default_factory=set)
    orientations: set[Orientation] = field(default_factory=set)
    last_error: str = ""
    early_end: str = ""
    partial_packet: bool = False
    _size: tuple[int, int] = (0, 0)
    _key_packets: int = 0
    _leading_times: range = range(0)

    def count_packet(self, packet: Packet[VideoStream]) -> None:
        """Take one more packet into account, in the order of the file."""
        self.discarded_packets += bool(packet.is_discard)
        if not packet.size:  # the one that empties the decoder
            return
        self.partial_packet = bool(packet.is_corrupt)
        if packet.is_keyframe:
            pts, dts = packet.pts, packet.dts
            # Leading pictures of the first key frame are lost to every reader alike.
            self._leading_times = (
                range(dts, pts) if self._key_packets and pts is not None and dts is not None else range(0)
            )
            self._key_packets += 1
        elif self._leading_times:
            self.leading_packets += packet.pts in self._leading_times

    def count_frame(self, frame: VideoFrame, step: int) -> None:
        """Take one more frame into account; ``step`` is the distance to the pts before."""
        self.frames += 1
        self.corrupt_frames += frame.is_corrupt
        size = (frame.height, frame.width)
        self.size_changes += self.frames > 1 and size != self._size
        self._size = size
        kind = frame.pict_type
        self.b_frames += kind == _B
        self.inter_frames += kind in _INTER
        if self.frames > 1 and len(self.steps) < 3:
            self.steps.add(step)

    def count_lost(self, words: str) -> None:
        """Take a packet into account that could not be decoded, and why."""
        self.lost_packets += 1
        self.last_error = words

    def count_early_end(self, words: str) -> None:
        """Take into account that the file ends early: something is lost, though nobody knows how many packets."""
        self.early_end = words
        self.lost_packets = max(self.lost_packets, 1)

    def start_again(self) -> None:
        """Set everything back, because the file is read once more from its start."""
        fresh = FrameCounts()
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def index_risk(self, info: VideoInfo, several_streams: bool) -> tuple[str, ...]:
        """Name the reasons why a reader may number the frames of this file differently, see docs/conventions.md."""
        avi_b = "avi" in info.container and self.b_frames > 0
        risks = {
            "edit_list": self.discarded_packets > 0,
            "transport_stream": "mpegts" in info.container,
            "packed_b_frames": avi_b and info.codec == "mpeg4",
            "avi_b_frames": avi_b,
            "open_gop": self.leading_packets > 0 and info.container not in {"avi", "asf"},  # without presentation times
            "variable_rate": len(self.steps) > 1 and max(self.steps) - min(self.steps) > 1,
            "header_count": info.header_frames not in {0, self.frames},
            "lost_packets": self.lost_packets > 0,
            "ends_early": bool(self.early_end),
            "size_changes": self.size_changes > 0,
            "several_streams": several_streams,
            "frame_orientation": bool(self.orientations - {info.orientation}),
        }
        return tuple(name for name, there in risks.items() if there)
