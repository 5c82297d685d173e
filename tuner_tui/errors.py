"""The one error that is meant for a person."""


class UserError(Exception):
    """Something that the person can mend.

    The message is one sentence: what is wrong, where (file, row, field) and how to mend it. The command line
    prints it on stderr without a traceback and exits with status 2; the app shows it as a notification.
    """
