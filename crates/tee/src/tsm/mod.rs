// SPDX-License-Identifier: Apache-2.0
//! Reports through configfs: `/sys/kernel/config/tsm/report`.
//!
//! Linux since 6.7, Documentation/ABI/testing/configfs-tsm. Each request has an entry of its
//! own, a directory with a random name: its attributes are the request and the answer. Three things
//! about it are easily missed:
//!
//! - `inblob` is acted upon when the file is closed, and a failure then is reported to nobody.
//!   `generation` is what tells: it counts every write that took effect, ours and others'.
//! - A report is made when `outblob` is read, of what the attributes are *then*.
//! - `privlevel` is text.
//!
//! So `generation` is compared before, between and after, and whoever uses the report still checks
//! that it carries his data.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::TeeError;
use crate::files::{Files, Interface};
use crate::patience::Patience;

/// What [`report`] asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// What `provider` has to say: `tdx_guest` or `sev_guest`.
    pub(crate) provider: &'static str,
    pub(crate) report_data: &'a [u8; 64],
    pub(crate) privilege: Privilege,
}

/// Whether the provider knows privilege levels, and which one the report is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Privilege {
    /// The provider has no such attribute.
    None,
    /// The most privileged that this guest may ask for, `privlevel_floor`: its own.
    Own,
    /// This one (SEV-SNP: the VMPL, 0 to 3), if the guest may ask for it.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "no platform asks for another level")
    )]
    Level(u8),
}

/// The answer.
#[derive(Debug)]
pub(crate) struct Report {
    /// The report, in the provider's format.
    pub(crate) outblob: Vec<u8>,
    /// What came with it; for `sev_guest` the certificate table. Empty if nothing did.
    pub(crate) auxblob: Vec<u8>,
}

/// The provider behind configfs-tsm; `None` where the kernel has no configfs-tsm, or nobody
/// provides reports.
pub(crate) fn provider(files: &dyn Files) -> Result<Option<String>, TeeError> {
    if !CONFIGFS_TSM.exists(files, Path::new(REPORTS))? {
        return Ok(None);
    }
    match Entry::create(files) {
        Ok(entry) => entry.text("provider").map(Some),
        // The directory is there as soon as the module is; making an entry fails with ENXIO until
        // a provider has registered.
        Err(TeeError::Kernel { source, .. }) if source.raw_os_error() == Some(ENXIO) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One report. `is_ours` looks into it for the report data: the last word on whether another
/// writer got in between.
///
/// # Errors
///
/// [`TeeError::Missing`], [`TeeError::WrongPlatform`], [`TeeError::Busy`], [`TeeError::Raced`],
/// [`TeeError::TooLong`], [`TeeError::PrivilegeLevel`], or what the kernel says.
pub(crate) fn report(
    files: &dyn Files,
    patience: Patience,
    request: Request<'_>,
    is_ours: impl Fn(&[u8]) -> Result<bool, TeeError>,
) -> Result<Report, TeeError> {
    patience.run(|| {
        let report = attempt(files, request)?;
        if is_ours(&report.outblob)? {
            Ok(report)
        } else {
            Err(raced())
        }
    })
}

fn attempt(files: &dyn Files, request: Request<'_>) -> Result<Report, TeeError> {
    let entry = Entry::create(files)?;
    let found = entry.text("provider")?;
    if found != request.provider {
        return Err(TeeError::WrongPlatform {
            expected: request.provider,
            found,
        });
    }
    let mut expected = entry.generation()?;
    if let Some(level) = entry.privilege_level(request.privilege)? {
        entry.write("privlevel", level.to_string().as_bytes())?;
        expected = expected.wrapping_add(1);
    }
    entry.write("inblob", request.report_data)?;
    expected = expected.wrapping_add(1);
    if entry.generation()? != expected {
        return Err(raced());
    }
    let outblob = entry.read("outblob", OUTBLOB_LIMIT)?;
    let auxblob = match request.privilege {
        // tdx_guest, which has no privilege levels, has no auxblob either.
        Privilege::None => Vec::new(),
        Privilege::Own | Privilege::Level(_) => entry.read("auxblob", AUXBLOB_LIMIT)?.to_vec(),
    };
    if entry.generation()? != expected {
        return Err(raced());
    }
    Ok(Report {
        outblob: outblob.to_vec(),
        auxblob,
    })
}

/// A request's directory; gone when dropped.
struct Entry<'a> {
    files: &'a dyn Files,
    path: PathBuf,
}

impl<'a> Entry<'a> {
    fn create(files: &'a dyn Files) -> Result<Self, TeeError> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|_| TeeError::Random)?;
        let path = Path::new(REPORTS).join(format!("subrosa-{}", hex::encode(name)));
        files
            .create_directory(&path)
            .map_err(CONFIGFS_TSM.fault("create", &path, 0))?;
        Ok(Self { files, path })
    }

    fn read(&self, attribute: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        CONFIGFS_TSM.read(self.files, &self.path.join(attribute), limit)
    }

    fn write(&self, attribute: &str, bytes: &[u8]) -> Result<(), TeeError> {
        CONFIGFS_TSM.write(self.files, &self.path.join(attribute), bytes)
    }

    /// An attribute of text, without the line's end.
    fn text(&self, attribute: &str) -> Result<String, TeeError> {
        let bytes = self.read(attribute, TEXT_LIMIT)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| TeeError::Malformed {
            what: "configfs-tsm attribute",
            why: "not text",
        })?;
        Ok(text.trim_end().to_owned())
    }

    fn generation(&self) -> Result<u64, TeeError> {
        self.text("generation")?
            .parse()
            .map_err(|_| TeeError::Malformed {
                what: "configfs-tsm generation",
                why: "not a number",
            })
    }

    fn privilege_level(&self, privilege: Privilege) -> Result<Option<u8>, TeeError> {
        if matches!(privilege, Privilege::None) {
            return Ok(None);
        }
        let floor = self
            .text("privlevel_floor")?
            .parse()
            .map_err(|_| TeeError::Malformed {
                what: "configfs-tsm privlevel_floor",
                why: "not a number",
            })?;
        match privilege {
            Privilege::Level(wanted) if wanted < floor || wanted > MAX_PRIVILEGE_LEVEL => {
                Err(TeeError::PrivilegeLevel { wanted, floor })
            }
            Privilege::Level(wanted) => Ok(Some(wanted)),
            Privilege::Own | Privilege::None => Ok(Some(floor)),
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // An entry that stays is a few hundred bytes of kernel memory and no reason to refuse the
        // report, or to hide the fault that is on its way up.
        let _ = self.files.remove_directory(&self.path);
    }
}

fn raced() -> TeeError {
    TeeError::Raced {
        what: "the configfs-tsm entry",
        attempts: 1,
    }
}

pub(crate) const REPORTS: &str = "sys/kernel/config/tsm/report";
const CONFIGFS_TSM: Interface = Interface {
    name: "configfs-tsm",
    needs: "Linux 6.7 with CONFIG_TSM_REPORTS, a provider (tdx_guest, sev_guest) and a mounted \
            configfs",
};
/// Four times what Linux 6.7 allows (`TSM_OUTBLOB_MAX`, 32 KiB), for quotes to come.
const OUTBLOB_LIMIT: usize = 128 * 1024;
/// `SEV_FW_BLOB_MAX_SIZE` is 16 KiB; generously more.
const AUXBLOB_LIMIT: usize = 64 * 1024;
const TEXT_LIMIT: usize = 128;
/// `TSM_PRIVLEVEL_MAX`.
const MAX_PRIVILEGE_LEVEL: u8 = 3;
const ENXIO: i32 = 6;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
