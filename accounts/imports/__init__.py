"""Files from outside: read as a stream, mapped by declaration, booked in parts, accounted for.

    reader   bytes to lines: gzip, encoding, delimiter, header
    mapping  lines to values: a small JSON document per source
    parts    lines to parts that keep an order or a family together
    report   what became of every line, with sums that must add up
    running  the course of one import, whether dry or real, from a command or the admin

What a kind of file means is said by its app (`register` in its `ready()`).
"""
