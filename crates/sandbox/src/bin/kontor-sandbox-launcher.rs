//! The launcher alone, small: what `kontor sandbox-launcher` does. The tests of this crate use it.

use std::process::ExitCode;

/// `--fail STEP` lets that step of the set-up fail, `--abort STEP` lets the process die in it, in builds with fail points.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let armed = match arguments.as_slice() {
        [how, step] if how == "--fail" => fail::cfg(step.as_str(), "return"),
        [how, step] if how == "--abort" => fail::cfg_callback(step.as_str(), || std::process::abort()),
        _ => Ok(()),
    };
    if armed.is_err() {
        return ExitCode::FAILURE;
    }
    let code = kontor_sandbox::launcher();
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
