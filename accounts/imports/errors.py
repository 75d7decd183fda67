class ImportRefused(Exception):
    """The file as a whole cannot be imported; the words name file, line and reason."""


class FileRefused(ImportRefused):
    def __init__(self, file: str, reason: str, line: int = 0) -> None:
        place = f"{file}, line {line}" if line else file
        super().__init__(f"{place}: {reason}")
        self.line = line


class WrongEncoding(FileRefused):
    """The bytes are not text in the encoding that was tried."""


class MappingRefused(ImportRefused):
    """The mapping does not fit the file or says something it cannot mean."""


class ImportStopped(ImportRefused):
    """A line was refused and the import was told to stop at errors."""


class CellRefused(Exception):
    """A cell does not hold what its column should."""
