// SPDX-License-Identifier: Apache-2.0
//! From one key to the next while clients keep the key set they have.

use subrosa_attestation::ear::CLOCK_SKEW;

use super::Keys;
use super::error::KeysError;
use super::file::{EAR, NextKey, Retired, ear_key, fresh, read, replace};
use crate::Config;

/// What a rotation did. Both name keys by their `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// A key was made and is published from now on; nothing is signed with it yet.
    Announced {
        /// The key that was made.
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

impl Keys {
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
}

/// When the last result signed at `now` has run out for every client.
fn last_result(config: &Config, now: u64) -> u64 {
    now.saturating_add(config.ear_seconds)
        .saturating_add(CLOCK_SKEW)
}

/// How long after a rotation a running service may take to notice, seconds.
const RELOAD: u64 = 3600;

#[cfg(test)]
mod tests {
    use subrosa_evidence::api::Jwk;

    use super::*;
    use crate::keys::tests::config;

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
}
