"""The library behind the book: MultiSenGE from label files to results, one module a step."""
