"""Video files: the only package that imports PyAV.

``container`` opens files and names what is wrong with them, ``reader`` yields frames with their motion vectors, ``pictures``
yields RGB pictures the right way up, ``clip`` reads those of one training clip, ``encode`` writes films, ``reencode``
finds vectors where a codec has none.
"""
