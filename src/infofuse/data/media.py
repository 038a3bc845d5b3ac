"""Which files are media, by their endings."""

_VIDEO = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv", ".wmv", ".mpg", ".mpeg", ".ts"}
_AUDIO = {".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".oga", ".opus", ".wma", ".aiff", ".au"}
SUFFIXES = _VIDEO | _AUDIO | {".3gp", ".mxf", ".aif", ".amr"}
