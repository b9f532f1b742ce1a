"""What can be wrong with a file that is handed over."""

from app.errors import ErrorCode


class UploadErrorCode(ErrorCode):
    UPLOAD_EMPTY = "The file has no content."
    UPLOAD_TOO_LARGE = "The file is larger than the server accepts."
    NO_DOWNLOAD = "The job has made no file, or the file is not kept any more."
