"""Inputs and manifests to an ordered list of videos, and that list to parts."""

from mgmtool.corpus.entry import Entry
from mgmtool.corpus.fingerprint import changed_videos, content_fingerprint
from mgmtool.corpus.listing import Corpus, scan
from mgmtool.corpus.manifest import read_manifest
from mgmtool.corpus.parts import Part, cut_parts, plan_parts
from mgmtool.corpus.writing import write_manifest

__all__ = [
    "Corpus",
    "Entry",
    "Part",
    "changed_videos",
    "content_fingerprint",
    "cut_parts",
    "plan_parts",
    "read_manifest",
    "scan",
    "write_manifest",
]
