"""A model as a service: HTTP, JSON, and a page to see what the model sees.

`infofuse.serve.server.serve(predictor)` runs it; `infofuse.serve.app.create_app(predictor)` is the
ASGI application for another server. Whoever calls is a stranger: every size and time is bounded
(`Limits`), clips are decoded in processes that can take nothing down, and nothing of a request is
kept. Nothing is imported here, so that a decoder's process holds little.
"""
