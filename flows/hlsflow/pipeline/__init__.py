"""The steps of the pipeline, one function each; `hlsflow.pipeline.run` says in which order they run.

In: a `Context` (project, store, where to report) and the `Results` so far. Out: the `Results` with the step's own part.
A step's work happens in a folder of the store, so each says with its key what it depends on, and no more.
"""
