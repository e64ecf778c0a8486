// SPDX-License-Identifier: Apache-2.0
//! Which platform this is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::azure::AzureVtpm;
use crate::files::{Files, Interface, System};
use crate::gramine::Gramine;
use crate::ioctl::{Nsm, SevGuest};
use crate::nitro::Nitro;
use crate::patience::Patience;
use crate::producer::Producer;
use crate::snp::Snp;
use crate::software::Software;
use crate::tdx::Tdx;
use crate::tpm::{self, Stream, Tpm};
use crate::{TeeError, tsm};

/// Which environment to open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Whatever hardware this is; never the software TEE. Looked for, in this order:
    ///
    /// 1. a provider behind configfs-tsm: `tdx_guest` or `sev_guest`;
    /// 2. `/dev/attestation/attestation_type`: Gramine on SGX;
    /// 3. `/dev/nsm`: a Nitro enclave;
    /// 4. Azure's chassis asset tag and `/dev/tpmrm0`: a confidential VM on Azure.
    ///
    /// The first that is there is opened; if it cannot be, that is the error, and the others are
    /// not tried.
    #[default]
    Detect,
    /// This one, and no other.
    Named(Name),
}

/// The platforms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Name {
    /// `tdx`: an Intel TDX guest.
    Tdx,
    /// `sgx-gramine`: an SGX enclave under Gramine.
    SgxGramine,
    /// `snp`: an AMD SEV-SNP guest.
    Snp,
    /// `nitro`: an AWS Nitro enclave.
    Nitro,
    /// `azure-vtpm`: a confidential VM on Azure, over SEV-SNP or TDX.
    AzureVtpm,
    /// `software`: no protection, for development.
    Software,
}

impl Name {
    /// Every name, in the order of detection; `software`, which is never detected, last.
    pub const ALL: [Self; 6] = [
        Self::Tdx,
        Self::Snp,
        Self::SgxGramine,
        Self::Nitro,
        Self::AzureVtpm,
        Self::Software,
    ];

    /// What it is called on command lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tdx => "tdx",
            Self::SgxGramine => "sgx-gramine",
            Self::Snp => "snp",
            Self::Nitro => "nitro",
            Self::AzureVtpm => "azure-vtpm",
            Self::Software => "software",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Name {
    type Err = TeeError;

    fn from_str(text: &str) -> Result<Self, TeeError> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| TeeError::UnknownName(text.chars().take(64).collect()))
    }
}

/// Where the platforms' files are.
///
/// Anything but the root of the file system is for tests with directories that play a kernel.
/// Nothing outside a process can choose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// Everything below `root` in place of `/`.
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn files(&self) -> Arc<dyn Files> {
        Arc::new(System(self.root.clone()))
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self::under("/")
    }
}

/// Opens the platform that `selection` names or that is found.
pub(crate) fn open(selection: Selection, paths: &Paths) -> Result<Box<dyn Producer>, TeeError> {
    let name = match selection {
        Selection::Named(name) => name,
        Selection::Detect => detect(paths.files().as_ref())?,
    };
    let (files, root) = (paths.files(), &paths.root);
    Ok(match name {
        Name::Tdx => Box::new(Tdx::open(files, Patience::KERNEL)?),
        Name::Snp => {
            let device = root.join(Snp::DEVICE);
            let open_device: crate::snp::OpenDevice =
                Box::new(move || Ok(Box::new(SevGuest::open(&device)?)));
            Box::new(Snp::open(files, Patience::KERNEL, open_device)?)
        }
        Name::SgxGramine => Box::new(Gramine::open(files, Patience::KERNEL)?),
        Name::Nitro => {
            let device = Nsm::open(&root.join(Nitro::DEVICE)).map_err(NSM.fault(
                "open",
                Path::new(Nitro::DEVICE),
                0,
            ))?;
            Box::new(Nitro::open(Box::new(device))?)
        }
        Name::AzureVtpm => {
            let device = std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(root.join(tpm::DEVICE))
                .map_err(tpm::TPM.fault("open", Path::new(tpm::DEVICE), 0))?;
            let tpm = Tpm::new(Box::new(Stream(device)), Patience::KERNEL);
            Box::new(AzureVtpm::open(tpm, Patience::KERNEL, Patience::AZURE)?)
        }
        Name::Software => Box::new(Software::start(None)?),
    })
}

/// The hardware that is there.
pub(crate) fn detect(files: &dyn Files) -> Result<Name, TeeError> {
    match tsm::provider(files)?.as_deref() {
        Some(Tdx::PROVIDER) => return Ok(Name::Tdx),
        Some(Snp::PROVIDER) => return Ok(Name::Snp),
        Some(other) => {
            return Err(TeeError::WrongPlatform {
                expected: "tdx_guest or sev_guest",
                found: other.to_owned(),
            });
        }
        None => {}
    }
    if DETECTION.exists(files, Path::new(Gramine::MARK))? {
        return Ok(Name::SgxGramine);
    }
    if DETECTION.exists(files, Path::new(Nitro::DEVICE))? {
        return Ok(Name::Nitro);
    }
    if is_azure(files)? && DETECTION.exists(files, Path::new(tpm::DEVICE))? {
        return Ok(Name::AzureVtpm);
    }
    Err(TeeError::NoTee {
        looked_for: "a configfs-tsm provider, /dev/attestation, /dev/nsm, an Azure vTPM",
    })
}

fn is_azure(files: &dyn Files) -> Result<bool, TeeError> {
    let tag = Path::new(CHASSIS_ASSET_TAG);
    match DETECTION.read(files, tag, 256) {
        Ok(found) => Ok(found.trim_ascii() == AzureVtpm::CHASSIS.as_bytes()),
        Err(TeeError::Missing { .. } | TeeError::TooLong { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

const CHASSIS_ASSET_TAG: &str = "sys/class/dmi/id/chassis_asset_tag";
const DETECTION: Interface = Interface {
    name: "the platform",
    needs: "the platform's interface",
};
const NSM: Interface = Interface {
    name: "/dev/nsm",
    needs: "a Nitro enclave with the nsm driver (Linux 6.8, or AWS' enclave kernels)",
};

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tsm::fake::{Kernel, Registers};

    fn root(files: &[(&str, &str)]) -> (tempfile::TempDir, Paths) {
        let directory = tempfile::tempdir().unwrap();
        for (path, contents) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        let paths = Paths::under(directory.path());
        (directory, paths)
    }

    fn found(files: &[(&str, &str)]) -> Result<Name, TeeError> {
        let (_directory, paths) = root(files);
        detect(paths.files().as_ref())
    }

    const GRAMINE: (&str, &str) = (Gramine::MARK, "dcap");
    const NITRO: (&str, &str) = (Nitro::DEVICE, "");
    const TPM: (&str, &str) = (tpm::DEVICE, "");
    const AZURE: (&str, &str) = (CHASSIS_ASSET_TAG, "7783-7084-3265-9085-8269-3286-77\n");

    #[test]
    fn each_platform_is_found_by_its_mark() {
        assert_eq!(found(&[GRAMINE]).unwrap(), Name::SgxGramine);
        assert_eq!(found(&[NITRO]).unwrap(), Name::Nitro);
        assert_eq!(found(&[AZURE, TPM]).unwrap(), Name::AzureVtpm);
        for (provider, name) in [("tdx_guest", Name::Tdx), ("sev_guest", Name::Snp)] {
            let kernel = Kernel::new(provider, |_: &Registers, _, _| Default::default());
            assert_eq!(detect(&kernel).unwrap(), name);
            assert_eq!(kernel.entries_left(), 0);
        }
    }

    #[test]
    fn the_documented_order_decides_between_several() {
        assert_eq!(
            found(&[TPM, AZURE, NITRO, GRAMINE]).unwrap(),
            Name::SgxGramine
        );
        assert_eq!(found(&[TPM, AZURE, NITRO]).unwrap(), Name::Nitro);
    }

    #[test]
    fn a_machine_without_a_tee_gets_an_error_and_never_the_software_tee() {
        for files in [
            &[][..],
            &[TPM],
            &[AZURE],
            &[TPM, (CHASSIS_ASSET_TAG, "Default string\n")],
        ] {
            let (_directory, paths) = root(files);
            let error = open(Selection::Detect, &paths).err().unwrap();
            assert!(matches!(error, TeeError::NoTee { .. }), "{error}");
            assert!(error.to_string().contains("has to be named"), "{error}");
        }
    }

    #[test]
    fn a_provider_nobody_knows_is_an_error() {
        let kernel = Kernel::new("arm_cca_guest", |_: &Registers, _, _| Default::default());
        assert!(matches!(
            detect(&kernel),
            Err(TeeError::WrongPlatform { found, .. }) if found == "arm_cca_guest"
        ));
    }

    #[test]
    fn a_named_platform_is_opened_whatever_else_is_there() {
        let (_directory, paths) = root(&[NITRO]);
        let error = open(Selection::Named(Name::SgxGramine), &paths)
            .err()
            .unwrap();
        assert!(matches!(&error, TeeError::Missing { .. }), "{error}");
        // An ordinary file knows no ioctl.
        let error = open(Selection::Detect, &paths).err().unwrap();
        assert!(
            matches!(&error, TeeError::Kernel { action: "call", .. }),
            "{error}"
        );
        let software = open(Selection::Named(Name::Software), &paths).unwrap();
        assert!(software.is_development());
    }

    #[test]
    fn names_read_back_as_they_are_written() {
        for name in Name::ALL {
            assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
        }
        assert!(matches!(
            "sgx".parse::<Name>(),
            Err(TeeError::UnknownName(name)) if name == "sgx"
        ));
    }
}
