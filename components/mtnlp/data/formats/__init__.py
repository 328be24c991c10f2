"""On-disk formats, one file each: bytes on disk in, Records out; nothing here knows spaCy.

Every reader takes a path and a `BadInput` policy and yields Records. A reader raises nothing but
`DataError`, and always through the policy, so that strict and lenient reading share one path.
"""
