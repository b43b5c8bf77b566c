//! The probe succeeds where the tests run, and names remedies elsewhere.

use super::*;

#[test]
fn this_system_has_io_uring() {
    assert_eq!(probe(), Ok(()));
}

#[test]
fn each_cause_has_its_remedy() {
    let remedy = |errno| explain("setting up a ring", &io::Error::from_raw_os_error(errno));
    for (errno, word) in [(libc::ENOSYS, "CONFIG_IO_URING"), (libc::EINVAL, "6.1"), (libc::EMFILE, "ulimit -n")] {
        assert!(remedy(errno).contains(word), "{}", remedy(errno));
        assert!(!remedy(errno).contains('\n'));
    }
}
