// SPDX-License-Identifier: Apache-2.0
//! The policy inside the configuration file.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subrosa_attestation::{PolicyError, PolicyFile};

/// What evidence must be like: the fields of a policy file, whose default is
/// [`PolicyFile::DEFAULT`]. `version` may be left out, and `development` is the configuration's own
/// field. Absent `roots` are the vendors'; in development there are none beside the development
/// root.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyConfig {
    table: toml::Table,
    pub(super) file: PolicyFile,
}

impl PolicyConfig {
    /// Reads the table.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], [`PolicyError::Parse`] if `development` is given.
    pub fn from_table(table: toml::Table) -> Result<Self, PolicyError> {
        let mut document = table.clone();
        if document.contains_key(DEVELOPMENT) {
            use serde::de::Error as _;
            return Err(toml::de::Error::custom(
                "`development` stands outside the policy, at the top of the configuration",
            )
            .into());
        }
        document.entry("version").or_insert(toml::Value::Integer(1));
        let file = PolicyFile::parse(&document.to_string())?;
        Ok(Self { table, file })
    }

    /// Whether roots are listed.
    pub(super) fn lists_roots(&self) -> bool {
        self.table.contains_key("roots")
    }
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            table: toml::Table::new(),
            file: PolicyFile::strict(),
        }
    }
}

impl Serialize for PolicyConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PolicyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let table = toml::Table::deserialize(deserializer)?;
        Self::from_table(table).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            D::Error::custom(format!("{error}{}", cause.unwrap_or_default()))
        })
    }
}

const DEVELOPMENT: &str = "development";
