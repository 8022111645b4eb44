"""Writes the cases of the conformance suite: `python -m tests.conformance.generator`.

It uses nothing of the product, so that a mistake of the product cannot repeat itself here: the
tree is the recursive definition of RFC 6962, the rest is put together by hand.
"""
