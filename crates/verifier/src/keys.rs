// SPDX-License-Identifier: Apache-2.0
//! The two signing keys and the files they live in.
//!
//! A key file is one JSON object: `{"version": 1, "use": "ear" | "admission", "development": bool,
//! "scalar": "<64 hex digits>"}`. It is made once, on request, and never overwritten by a running
//! service; its marks keep a development key from ever signing in production and one key from doing
//! two jobs.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subrosa_attestation::admission::AdmissionKey;
use subrosa_attestation::ear::{CLOCK_SKEW, EarKey, Jwk};
use zeroize::Zeroizing;

use crate::Config;

/// The keys of a verifier.
///
/// The file of the key that signs attestation results may go on with `"next": {"scalar": …,
/// "announced": <Unix seconds>}`, the key that will sign next, and `"retired": [{"key": <JWK>,
/// "until": <Unix seconds>}]`, public keys whose results may still be in force. [`Keys::rotate`]
/// moves them along:
///
/// | rotation | signs | published |
/// |---|---|---|
/// | before the first | A | A |
/// | first: announces | A | A, B |
/// | second, after `jwks_seconds`: switches | B | B, C, and A until its last result has run out |
///
/// A running service takes over what was rotated with
/// [`Verifier::replace_keys`](crate::Verifier::replace_keys).
#[derive(Debug)]
pub struct Keys {
    pub(crate) ear: EarKey,
    /// Published, and not used yet.
    pub(crate) next: Option<EarKey>,
    /// Published, and not used any more.
    pub(crate) retired: Vec<Retired>,
    pub(crate) admission: AdmissionKey,
}

/// A key that signs no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retired {
    pub(crate) key: Jwk,
    /// When the last result signed with it has run out, Unix seconds.
    pub(crate) until: u64,
}

/// What a rotation did. Both name keys by their `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// A key was made and is published from now on; nothing is signed with it yet.
    Announced {
        /// It.
        next: String,
        /// From when the next rotation may switch to it, Unix seconds.
        usable_from: u64,
    },
    /// What was announced signs from now on, and another key was announced.
    Switched {
        /// The key that signs.
        current: String,
        /// The key that signs after the next rotation.
        next: String,
        /// Until when the former key is published, Unix seconds.
        retired_until: u64,
    },
}

/// Why there are no keys. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("cannot access key file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("key file {} has mode {mode:03o}, expected 600", path.display())]
    Permissions {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key file.
    #[error("key file {} is malformed", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
    },
    /// Made for something else.
    #[error("key file {} was made for {found}, expected {expected}", path.display())]
    Purpose {
        /// Which.
        path: PathBuf,
        /// What it is marked for.
        found: String,
        /// What was asked of it.
        expected: String,
    },
    /// The system's random generator failed.
    #[error("the system yields no randomness")]
    Random,
    /// Clients may not have seen the announced key yet.
    #[error("the announced key may sign from {usable_from} (Unix seconds), now is {now}")]
    TooSoon {
        /// From when.
        usable_from: u64,
        /// When it was tried.
        now: u64,
    },
    /// Not a private key: zero, or not below the group's order.
    #[error("scalar is not a private key")]
    Scalar,
}

#[derive(Serialize, Deserialize, zeroize::ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u8,
    #[serde(rename = "use")]
    usage: String,
    development: bool,
    scalar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<NextKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[zeroize(skip)]
    retired: Vec<Retired>,
}

#[derive(Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct NextKey {
    scalar: String,
    announced: u64,
}

impl Keys {
    /// Keys from private scalars, big-endian.
    ///
    /// # Errors
    ///
    /// [`KeysError::Scalar`].
    pub fn from_scalars(ear: &[u8; 32], admission: &[u8; 32]) -> Result<Self, KeysError> {
        Ok(Self {
            ear: EarKey::from_bytes(ear).ok_or(KeysError::Scalar)?,
            next: None,
            retired: Vec::new(),
            admission: AdmissionKey::from_bytes(admission).ok_or(KeysError::Scalar)?,
        })
    }

    /// Fresh random keys that live as long as the process.
    ///
    /// # Errors
    ///
    /// [`KeysError::Random`].
    pub fn ephemeral() -> Result<Self, KeysError> {
        Self::from_scalars(&*fresh()?, &*fresh()?)
    }

    /// Reads the files that `config` names. Creates nothing.
    ///
    /// # Errors
    ///
    /// [`KeysError`] if a file is missing, readable by others, malformed, or made for something
    /// else.
    pub fn load(config: &Config) -> Result<Self, KeysError> {
        let path = &config.ear_key_file;
        let file = read(path, EAR, config.development)?;
        let admission = read(&config.admission_key_file, ADMISSION, config.development)?;
        let malformed = || KeysError::Malformed {
            path: path.to_owned(),
        };
        if file.retired.iter().any(|old| old.key.validate().is_err()) {
            return Err(malformed());
        }
        let mut keys = Self::from_scalars(
            &*scalar(path, &file.scalar)?,
            &*scalar(&config.admission_key_file, &admission.scalar)?,
        )?;
        keys.next = match &file.next {
            Some(next) => Some(ear_key(path, &next.scalar)?),
            None => None,
        };
        keys.retired.clone_from(&file.retired);
        Ok(keys)
    }

    /// Makes the two files that `config` names, mode 0600, with fresh keys, and reads them. For
    /// `subrosa verifier init`; a running service never does this by itself.
    ///
    /// # Errors
    ///
    /// [`KeysError::File`] if one of them exists or cannot be written.
    pub fn create(config: &Config) -> Result<Self, KeysError> {
        for path in [&config.ear_key_file, &config.admission_key_file] {
            if path
                .try_exists()
                .map_err(|source| file_error(path, source))?
            {
                return Err(file_error(path, std::io::ErrorKind::AlreadyExists.into()));
            }
        }
        for (path, usage) in [
            (&config.ear_key_file, EAR),
            (&config.admission_key_file, ADMISSION),
        ] {
            write(path, &KeyFile::fresh(usage, config.development)?)?;
        }
        Self::load(config)
    }

    /// Announces a key for attestation results, or switches to the announced one, as of `now`
    /// (Unix seconds), in the file that `config` names; see [`Keys`]. The file is
    /// replaced at once or not at all. For `subrosa verifier rotate`.
    ///
    /// # Errors
    ///
    /// [`KeysError::TooSoon`] until the announced key has been published for `jwks_seconds`;
    /// otherwise as [`Self::load`], or if the file cannot be replaced, as while another rotation is
    /// under way.
    pub fn rotate(config: &Config, now: u64) -> Result<Rotation, KeysError> {
        let path = &config.ear_key_file;
        let mut file = read(path, EAR, config.development)?;
        let fresh = NextKey {
            scalar: hex::encode(*fresh()?),
            announced: now,
        };
        let fresh_kid = ear_key(path, &fresh.scalar)?.jwk().kid;
        file.retired.retain(|old| now < old.until);
        let rotation = match file.next.replace(fresh) {
            None => Rotation::Announced {
                next: fresh_kid,
                usable_from: now.saturating_add(config.jwks_seconds),
            },
            Some(mut next) => {
                let usable_from = next.announced.saturating_add(config.jwks_seconds);
                if now < usable_from {
                    return Err(KeysError::TooSoon { usable_from, now });
                }
                // The service may go on signing with it for a while before it takes this over.
                let until = last_result(config, now).saturating_add(RELOAD);
                file.retired.push(Retired {
                    key: ear_key(path, &file.scalar)?.jwk(),
                    until,
                });
                std::mem::swap(&mut file.scalar, &mut next.scalar);
                Rotation::Switched {
                    current: ear_key(path, &file.scalar)?.jwk().kid,
                    next: fresh_kid,
                    retired_until: until,
                }
            }
        };
        replace(path, &file)?;
        Ok(rotation)
    }

    /// Takes over from `former` at `now`: keys that these do not know and whose results may still
    /// be in force remain published.
    pub(crate) fn succeed(&mut self, former: &Self, config: &Config, now: u64) {
        let until = last_result(config, now);
        let mut old = former.retired.clone();
        old.push(Retired {
            key: former.ear.jwk(),
            until,
        });
        let signs = self.ear.jwk().kid;
        for old in old {
            if old.until <= now || old.key.kid == signs {
                continue;
            }
            let same = |known: &&mut Retired| known.key.kid == old.key.kid;
            match self.retired.iter_mut().find(same) {
                Some(known) => known.until = known.until.max(old.until),
                None => self.retired.push(old),
            }
        }
    }

    /// What is published at `now`: the key that signs, the next one, retired ones.
    pub(crate) fn published(&self, now: u64) -> Vec<Jwk> {
        let mut keys = vec![self.ear.jwk()];
        keys.extend(self.next.iter().map(EarKey::jwk));
        for old in self.retired.iter().filter(|old| now < old.until) {
            if keys.iter().all(|key| key.kid != old.key.kid) {
                keys.push(old.key.clone());
            }
        }
        keys
    }
}

/// When the last result signed at `now` has run out for every client.
fn last_result(config: &Config, now: u64) -> u64 {
    now.saturating_add(config.ear_seconds)
        .saturating_add(CLOCK_SKEW)
}

impl KeyFile {
    fn fresh(usage: &str, development: bool) -> Result<Self, KeysError> {
        Ok(Self {
            version: VERSION,
            usage: usage.to_owned(),
            development,
            scalar: hex::encode(*fresh()?),
            next: None,
            retired: Vec::new(),
        })
    }
}

fn read(path: &Path, usage: &str, development: bool) -> Result<KeyFile, KeysError> {
    let failed = |source| file_error(path, source);
    let mode = std::fs::metadata(path)
        .map_err(failed)?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    let malformed = || KeysError::Malformed {
        path: path.to_owned(),
    };
    let file: KeyFile = serde_json::from_str(&text).map_err(|_| malformed())?;
    if file.version != VERSION {
        return Err(malformed());
    }
    if file.usage != usage || file.development != development {
        return Err(KeysError::Purpose {
            path: path.to_owned(),
            found: purpose(&file.usage, file.development),
            expected: purpose(usage, development),
        });
    }
    Ok(file)
}

fn scalar(path: &Path, text: &str) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut scalar = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.as_bytes(), scalar.as_mut()).map_err(|_| KeysError::Malformed {
        path: path.to_owned(),
    })?;
    Ok(scalar)
}

fn ear_key(path: &Path, text: &str) -> Result<EarKey, KeysError> {
    EarKey::from_bytes(&*scalar(path, text)?).ok_or(KeysError::Scalar)
}

/// Writes a file that does not exist yet.
fn write(path: &Path, file: &KeyFile) -> Result<(), KeysError> {
    let failed = |source| file_error(path, source);
    let json = serde_json::to_string_pretty(file)
        .map_err(std::io::Error::from)
        .map_err(failed)?;
    let json = Zeroizing::new(json);
    let mut created = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    created
        .write_all(json.as_bytes())
        .and_then(|()| created.sync_all())
        .map_err(failed)
}

/// Replaces a file in one step. The file beside it that becomes it keeps two from doing so at
/// once.
fn replace(path: &Path, file: &KeyFile) -> Result<(), KeysError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    write(&beside, file)?;
    std::fs::rename(&beside, path)
        .and_then(|()| match path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => {
                std::fs::File::open(directory)?.sync_all()
            }
            _ => Ok(()),
        })
        .map_err(|source| file_error(path, source))
}

/// 32 random bytes. That they are no valid scalar has the probability of a hash collision and is
/// found when they are used.
fn fresh() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut scalar = Zeroizing::new([0; 32]);
    getrandom::fill(scalar.as_mut()).map_err(|_| KeysError::Random)?;
    Ok(scalar)
}

fn purpose(usage: &str, development: bool) -> String {
    let usage: String = usage.chars().take(32).collect();
    format!(
        "{usage} ({})",
        if development {
            "development"
        } else {
            "production"
        }
    )
}

fn file_error(path: &Path, source: std::io::Error) -> KeysError {
    KeysError::File {
        path: path.to_owned(),
        source,
    }
}

/// How long after a rotation a running service may take to notice, seconds.
const RELOAD: u64 = 3600;
const VERSION: u8 = 1;
const EAR: &str = "ear";
const ADMISSION: &str = "admission";

#[cfg(test)]
mod tests {
    use super::*;

    fn config(directory: &Path, development: bool) -> Config {
        let (ear, admission) = (directory.join("ear.key"), directory.join("admission.key"));
        let name = if development {
            "development"
        } else {
            "verifier"
        };
        Config::parse(&format!(
            "listen = \"127.0.0.1:0\"\nissuer = \"https://{name}.example\"\ndevelopment = \
             {development}\near_key_file = {ear:?}\nadmission_key_file = {admission:?}\n"
        ))
        .unwrap()
    }

    #[test]
    fn keys_are_made_once_and_only_on_request() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), false);
        assert!(matches!(Keys::load(&config), Err(KeysError::File { .. })));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let made = Keys::create(&config).unwrap();
        let loaded = Keys::load(&config).unwrap();
        assert_eq!(made.ear.jwk(), loaded.ear.jwk());
        assert_eq!(made.admission.address(), loaded.admission.address());
        assert!(matches!(Keys::create(&config), Err(KeysError::File { .. })));
        assert_eq!(Keys::load(&config).unwrap().ear.jwk(), made.ear.jwk());
    }

    #[test]
    fn a_development_key_never_signs_in_production_nor_does_one_key_do_two_jobs() {
        let directory = tempfile::tempdir().unwrap();
        Keys::create(&config(directory.path(), true)).unwrap();
        let production = config(directory.path(), false);
        assert!(matches!(
            Keys::load(&production),
            Err(KeysError::Purpose { .. })
        ));
        let mut swapped = config(directory.path(), true);
        std::mem::swap(&mut swapped.ear_key_file, &mut swapped.admission_key_file);
        assert!(matches!(
            Keys::load(&swapped),
            Err(KeysError::Purpose { .. })
        ));
    }

    fn kids(keys: &[Jwk]) -> Vec<&str> {
        keys.iter().map(|key| key.kid.as_str()).collect()
    }

    #[test]
    fn a_key_is_announced_before_it_signs_and_published_until_its_last_result_ran_out() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), false);
        let first = Keys::create(&config).unwrap().ear.jwk().kid;
        let now = 1_000_000;
        let Rotation::Announced { next, usable_from } = Keys::rotate(&config, now).unwrap() else {
            panic!("the first rotation announces");
        };
        assert_eq!(usable_from, now + 3600);
        let announced = Keys::load(&config).unwrap();
        assert_eq!(announced.ear.jwk().kid, first);
        assert_eq!(kids(&announced.published(now)), [&*first, &*next]);

        assert!(matches!(
            Keys::rotate(&config, usable_from - 1),
            Err(KeysError::TooSoon { .. })
        ));
        assert_eq!(
            kids(&Keys::load(&config).unwrap().published(now)),
            [&*first, &*next]
        );

        let switched = Keys::rotate(&config, usable_from).unwrap();
        let Rotation::Switched {
            current,
            next: third,
            retired_until,
        } = switched
        else {
            panic!("the second rotation switches");
        };
        assert_eq!(current, next);
        assert_eq!(retired_until, usable_from + 300 + CLOCK_SKEW + RELOAD);
        let keys = Keys::load(&config).unwrap();
        assert_eq!(keys.ear.jwk().kid, current);
        assert_eq!(
            kids(&keys.published(retired_until - 1)),
            [&*current, &*third, &*first]
        );
        assert_eq!(kids(&keys.published(retired_until)), [&*current, &*third]);

        Keys::rotate(&config, retired_until).unwrap();
        let text = std::fs::read_to_string(&config.ear_key_file).unwrap();
        assert!(!text.contains(&*first), "what ran out is dropped: {text}");
        let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(files.len(), 2, "nothing is left beside the files");
    }

    #[test]
    fn two_rotations_at_once_are_one() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), false);
        Keys::create(&config).unwrap();
        let before = std::fs::read_to_string(&config.ear_key_file).unwrap();
        std::fs::write(directory.path().join("ear.key.new"), "").unwrap();
        assert!(matches!(
            Keys::rotate(&config, 0),
            Err(KeysError::File { path, .. }) if path.ends_with("ear.key.new")
        ));
        assert_eq!(
            std::fs::read_to_string(&config.ear_key_file).unwrap(),
            before
        );
    }

    #[test]
    fn a_service_that_takes_over_late_or_other_files_forgets_no_key_too_soon() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), false);
        let former = Keys::create(&config).unwrap();
        Keys::rotate(&config, 0).unwrap();
        Keys::rotate(&config, 3600).unwrap();
        let mut keys = Keys::load(&config).unwrap();
        let late = 1_000_000;
        assert_eq!(keys.published(late).len(), 2);
        keys.succeed(&former, &config, late);
        let kid = former.ear.jwk().kid;
        assert!(kids(&keys.published(late + 359)).contains(&&*kid));
        assert!(!kids(&keys.published(late + 360)).contains(&&*kid));

        let mut unrelated = Keys::from_scalars(&[7; 32], &[8; 32]).unwrap();
        unrelated.succeed(&keys, &config, late);
        assert!(kids(&unrelated.published(late)).contains(&&*kid));
        assert!(kids(&unrelated.published(late)).contains(&&*keys.ear.jwk().kid));
    }

    #[test]
    fn key_files_that_others_can_read_or_that_are_malformed_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), true);
        Keys::create(&config).unwrap();
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&config.ear_key_file, permissions).unwrap();
        };
        mode(0o640);
        assert!(matches!(
            Keys::load(&config),
            Err(KeysError::Permissions { mode: 0o640, .. })
        ));
        mode(0o600);
        let sound = std::fs::read_to_string(&config.ear_key_file).unwrap();
        for text in [
            "",
            "{}",
            &sound.replace("\"version\": 1", "\"version\": 2"),
            &sound[..60],
        ] {
            std::fs::write(&config.ear_key_file, text).unwrap();
            assert!(
                matches!(Keys::load(&config), Err(KeysError::Malformed { .. })),
                "{text}"
            );
        }
        let zero = format!(
            "{{\"version\":1,\"use\":\"ear\",\"development\":true,\"scalar\":\"{}\"}}",
            "0".repeat(64)
        );
        std::fs::write(&config.ear_key_file, zero).unwrap();
        assert!(matches!(Keys::load(&config), Err(KeysError::Scalar)));
    }

    #[test]
    fn private_keys_do_not_print() {
        let keys = Keys::from_scalars(&[0x5a; 32], &[0x5b; 32]).unwrap();
        let printed = format!("{keys:?}");
        assert!(
            !printed.contains("5a5a") && !printed.contains("90, 90"),
            "{printed}"
        );
    }
}
