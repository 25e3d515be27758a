//! What texts may hold, as regular expressions that every generator of code can read. What they
//! cannot say - lengths in bytes, characters that cannot be seen - is in the descriptions of the
//! fields.

/// No NUL.
pub(crate) const TEXT: &str = r"^[^\u0000]*$";

/// One line in which something is no space.
pub(crate) const NAME: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// One line.
pub(crate) const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";

/// An absolute path.
pub(crate) const PATH: &str = r"^/[^\u0000]*$";

/// A path below a directory, which does not begin with `/`.
pub(crate) const GLOB: &str = r"^[^/\u0000][^\u0000]*$";

/// The name of a queue, which stands in URLs and variables.
pub(crate) const QUEUE: &str = r"^[A-Za-z0-9._-]+$";

/// The name of a project.
pub(crate) const PROJECT: &str = r"^[a-z0-9][a-z0-9._-]{0,62}$";

/// Whose jobs: words, or an id.
pub(crate) const WHOSE: &str = r"^(me|all|[0-9a-fA-F-]{32,36})$";

/// Digits of an id, dashes between them left out.
pub(crate) const ID_DIGITS: &str = r"^-*([0-9A-Fa-f]-*){4,32}$";

/// An email address, which is trimmed.
pub(crate) const EMAIL: &str = r"^\s*[^\s@]+@[^\s@]+\s*$";

/// An email address, as it is.
pub(crate) const EMAIL_EXACTLY: &str = r"^[^\s@]+@[^\s@]+$";

/// A time of the day.
pub(crate) const TIME_OF_DAY: &str = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$";

/// The address of a page.
pub(crate) const URL: &str = r"^https?://[^\s\u0000-\u001f\u007f-\u009f]*$";
/// An address of HTTP or HTTPS.
pub(crate) const HTTP_URL: &str = r"^https?://[^\s\u0000-\u001f\u007f]+$";

/// What Standard Webhooks are signed with: Base64 of 24 to 64 bytes.
pub(crate) const WEBHOOK_SECRET: &str = r"^whsec_(?:(?:[A-Za-z0-9+/]{4}){8,21}|(?:[A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|(?:[A-Za-z0-9+/]{4}){8,21}[A-Za-z0-9+/][AQgw]==)$";
