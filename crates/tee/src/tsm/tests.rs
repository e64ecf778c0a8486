// SPDX-License-Identifier: Apache-2.0

use super::fake::{Fault, Kernel, Registers};
use super::*;

/// A report that is its inblob, then the privilege level; a certificate table of five bytes.
fn echo(_: &Registers, inblob: &[u8], level: u8) -> (Vec<u8>, Vec<u8>) {
    ([inblob, &[level]].concat(), b"table".to_vec())
}

fn ask(kernel: &Kernel, privilege: Privilege) -> Result<Report, TeeError> {
    let request = Request {
        provider: "sev_guest",
        report_data: &[7; 64],
        privilege,
    };
    report(kernel, Patience::IMPATIENT, request, |report| {
        Ok(report.starts_with(&[7; 64]))
    })
}

fn snp() -> Kernel {
    Kernel::new("sev_guest", echo)
}

#[test]
fn a_report_carries_the_data_and_the_certificates_and_leaves_no_entry() {
    let kernel = snp();
    let report = ask(&kernel, Privilege::Own).unwrap();
    assert_eq!(report.outblob, [&[7; 64][..], &[0]].concat());
    assert_eq!(report.auxblob, b"table");
    assert_eq!(kernel.entries_left(), 0);
}

#[test]
fn every_request_has_an_entry_of_its_own() {
    let kernel = snp();
    ask(&kernel, Privilege::Own).unwrap();
    ask(&kernel, Privilege::Own).unwrap();
    let state = kernel.state();
    let [first, second] = state.entries_made.as_slice() else {
        panic!("{:?}", state.entries_made);
    };
    assert_ne!(first, second);
}

#[test]
fn the_privilege_level_is_written_as_text_and_never_below_the_floor() {
    let kernel = snp();
    kernel.state().floor = 2;
    assert_eq!(ask(&kernel, Privilege::Own).unwrap().outblob[64], 2);
    assert_eq!(ask(&kernel, Privilege::Level(3)).unwrap().outblob[64], 3);
    for wanted in [1, 4] {
        assert!(matches!(
            ask(&kernel, Privilege::Level(wanted)),
            Err(TeeError::PrivilegeLevel { wanted: level, floor: 2 }) if level == wanted
        ));
    }
    assert_eq!(kernel.state().privilege_levels_written, ["2", "3"]);
    assert_eq!(kernel.entries_left(), 0);
}

#[test]
fn passing_trouble_is_overcome() {
    for fault in [
        Fault::RacingWriter,
        Fault::LostWrite,
        Fault::ForeignReport,
        Fault::Busy,
    ] {
        let kernel = snp().failing([fault, fault, fault]);
        let report = ask(&kernel, Privilege::Own).unwrap();
        assert!(report.outblob.starts_with(&[7; 64]), "{fault:?}");
        assert_eq!(kernel.state().entries_made.len(), 4, "{fault:?}");
        assert_eq!(kernel.entries_left(), 0, "{fault:?}");
    }
}

#[test]
fn lasting_trouble_ends_after_a_bounded_number_of_attempts() {
    for fault in [Fault::RacingWriter, Fault::LostWrite, Fault::ForeignReport] {
        let kernel = snp().failing([fault; 9]);
        let error = ask(&kernel, Privilege::Own).unwrap_err();
        assert!(
            matches!(error, TeeError::Raced { attempts: 4, .. }),
            "{fault:?}: {error}"
        );
        assert_eq!(kernel.entries_left(), 0);
    }
    let kernel = snp().failing([Fault::Busy; 9]);
    let error = ask(&kernel, Privilege::Own).unwrap_err();
    assert!(matches!(error, TeeError::Busy { attempts: 4, .. }));
    assert_eq!(kernel.entries_left(), 0);
}

#[test]
fn an_answer_that_is_too_long_is_refused_at_once() {
    for fault in [Fault::TooBig, Fault::Endless] {
        let kernel = snp().failing([fault]);
        let error = ask(&kernel, Privilege::Own).unwrap_err();
        assert!(
            matches!(&error, TeeError::TooLong { path, .. } if path.ends_with("outblob")),
            "{error}"
        );
        assert_eq!(kernel.state().entries_made.len(), 1);
        assert_eq!(kernel.entries_left(), 0);
    }
}

#[test]
fn what_the_kernel_says_is_passed_on_and_the_entry_removed() {
    let kernel = snp().failing([Fault::Broken]);
    let error = ask(&kernel, Privilege::Own).unwrap_err();
    assert!(
        matches!(&error, TeeError::Kernel { action: "read", source, .. }
            if source.raw_os_error() == Some(5)),
        "{error}"
    );
    assert_eq!(kernel.entries_left(), 0);
}

#[test]
fn another_platform_is_not_asked_for_a_report() {
    let kernel = Kernel::new("tdx_guest", echo);
    let error = ask(&kernel, Privilege::Own).unwrap_err();
    assert!(
        matches!(&error, TeeError::WrongPlatform { expected: "sev_guest", found }
            if found == "tdx_guest"),
        "{error}"
    );
    assert_eq!(kernel.entries_left(), 0);
}

#[test]
fn the_provider_is_named_if_there_is_one() {
    let kernel = snp();
    assert_eq!(provider(&kernel).unwrap().as_deref(), Some("sev_guest"));
    kernel.state().provider = None;
    assert_eq!(provider(&kernel).unwrap(), None);
    assert_eq!(kernel.entries_left(), 0);
    let bare = tempfile::tempdir().unwrap();
    let system = crate::files::System(bare.path().to_owned());
    assert_eq!(provider(&system).unwrap(), None);
}

#[test]
fn a_kernel_without_configfs_tsm_is_told_what_it_lacks() {
    let bare = tempfile::tempdir().unwrap();
    let system = crate::files::System(bare.path().to_owned());
    let request = Request {
        provider: "tdx_guest",
        report_data: &[0; 64],
        privilege: Privilege::None,
    };
    let error = report(&system, Patience::IMPATIENT, request, |_| Ok(true)).unwrap_err();
    assert!(matches!(&error, TeeError::Missing { .. }), "{error}");
    assert!(error.to_string().contains("Linux 6.7"), "{error}");
}
