//! A start at a later date, for scripts that wait for one: what Python, Node and the shell call the time is moved on for it. The
//! kernel's clock cannot be turned for one command, so a program that asks the kernel by itself sees today.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use kontor_package::Content;

/// Where its files stand inside.
pub const PLACE: &str = "/later";
/// What is said of such a start.
pub const NOTE: &str = ", a year and a month later";

const PYTHON: &str = r#"import datetime as _d, time as _t
_by = 395 * 86400
def _moved(name, scale=1):
    real = getattr(_t, name)
    setattr(_t, name, lambda: real() + _by * scale)
_moved("time")
_moved("time_ns", 10 ** 9)
def _default(name):
    real = getattr(_t, name)
    setattr(_t, name, lambda seconds=None: real(_t.time() if seconds is None else seconds))
for _name in ("localtime", "gmtime", "ctime"):
    _default(_name)
_strftime, _asctime = _t.strftime, _t.asctime
_t.strftime = lambda form, when=None: _strftime(form, _t.localtime() if when is None else when)
_t.asctime = lambda when=None: _asctime(_t.localtime() if when is None else when)
class _Date(_d.date):
    @classmethod
    def today(cls):
        return cls.fromtimestamp(_t.time())
class _DateTime(_d.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(_t.time(), tz)
    @classmethod
    def today(cls):
        return cls.fromtimestamp(_t.time())
    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(_t.time(), _d.timezone.utc).replace(tzinfo=None)
_d.date, _d.datetime = _Date, _DateTime
"#;

const NODE: &str = r"const by = 395 * 86400 * 1000;
const Real = Date;
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + by);
    else super(...given);
  }
  static now() {
    return Real.now() + by;
  }
};
";

/// Asks for the same moment later, unless a moment is named.
const DATE: &str = "#!/bin/sh\nfor word; do\n  case $word in -d|--date|--date=*|-d*|-r|--reference*|-s|--set*) exec /bin/date \"$@\";; esac\n\
    done\nexec /bin/date -d '+395 days' \"$@\"\n";

/// Writes the files, to be shown at [`PLACE`].
pub fn lay_out(folder: &Path) -> io::Result<PathBuf> {
    let whole = folder.join("later");
    for (place, text, mode) in
        [("python/sitecustomize.py", PYTHON, 0o644), ("clock.js", NODE, 0o644), ("bin/date", DATE, 0o755)]
    {
        let path = whole.join(place);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
            fs::set_permissions(parent, fs::Permissions::from_mode(0o755))?;
        }
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    Ok(whole)
}

/// The variables of such a start.
pub fn variables() -> [(&'static str, String); 2] {
    [("PYTHONPATH", format!("{PLACE}/python")), ("NODE_OPTIONS", format!("--require {PLACE}/clock.js"))]
}

/// Words of files that may ask what day it is, or that unpack something else that may.
const ASKING: &[&str] = &["time", "date", "Date", "exec", "eval", "base64", "marshal", "import(", "Function("];

/// Whether something in these files may ask what day it is.
pub fn is_asked(content: &Content) -> bool {
    content.files().filter(|(path, _)| !path.to_ascii_lowercase().ends_with(".md")).any(|(_, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        ASKING.iter().any(|word| text.contains(word))
    })
}
