"""Video files: the only package that imports PyAV.

``container`` opens files and names what is wrong with them, ``decoding`` numbers frames, ``counts`` counts what was damaged or
odd, ``small`` notices damage at 1/8 resolution, ``ending`` files that end early, ``orientation`` reads display matrices.
``reader`` yields frames with their motion vectors, ``pictures`` RGB pictures the right way up, ``clip`` those of one training
clip; ``encode`` writes videos, ``reencode`` finds vectors where a codec has none.
"""
