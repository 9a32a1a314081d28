//! The `ci` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    ci::run(std::env::args_os()).into()
}
