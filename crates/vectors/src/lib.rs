// SPDX-License-Identifier: Apache-2.0
//! Genuine evidence of real hardware, for tests: the directory that `SUBROSA_VECTORS` names.
//!
//! `MANIFEST.json` there says of every vector which files it consists of, at what time it is
//! judged, and what the verdict is: with `strict_policy` `reject`, signatures are fine and the
//! strict policy rejects all the same. No executable depends on this crate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "for tests: a panic is the report"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One piece of evidence, with what it is made of and what is expected of it.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Its name.
    pub id: String,
    /// What it is of: `tdx`, `sgx`, `sgx-synthetic`, `snp`, `nitro`, `azure-vtpm`, ….
    pub tee: String,
    directory: PathBuf,
    json: Value,
}

/// Every vector, or nothing if there are none here.
///
/// # Panics
///
/// If the manifest is unreadable, or if `SUBROSA_REQUIRE_VECTORS` is 1 and there are none.
pub fn all() -> Option<Vec<Vector>> {
    let Some(directory) = std::env::var_os("SUBROSA_VECTORS") else {
        assert_ne!(
            std::env::var("SUBROSA_REQUIRE_VECTORS").as_deref(),
            Ok("1"),
            "SUBROSA_REQUIRE_VECTORS=1, but SUBROSA_VECTORS names no directory"
        );
        eprintln!("vectors: NOT RUN (SUBROSA_VECTORS is not set)");
        return None;
    };
    Some(of_directory(Path::new(&directory)))
}

/// The vectors of one kind, or nothing if there are none here.
///
/// # Panics
///
/// As [`all`], or if the manifest has none of that kind.
pub fn of(tee: &str) -> Option<Vec<Vector>> {
    let mut vectors = all()?;
    vectors.retain(|vector| vector.tee == tee);
    assert!(!vectors.is_empty(), "no vectors of {tee}");
    Some(vectors)
}

/// The vector with that name.
///
/// # Panics
///
/// If there is none.
pub fn named<'a>(vectors: &'a [Vector], id: &str) -> &'a Vector {
    vectors
        .iter()
        .find(|vector| vector.id == id)
        .unwrap_or_else(|| panic!("no vector {id}"))
}

fn of_directory(directory: &Path) -> Vec<Vector> {
    let manifest = std::fs::read(directory.join("MANIFEST.json")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let Value::Array(vectors) = manifest["vectors"].take() else {
        panic!("a manifest without vectors");
    };
    vectors
        .into_iter()
        .map(|json| Vector {
            id: json["id"].as_str().unwrap().to_owned(),
            tee: json["tee"].as_str().unwrap().to_owned(),
            directory: directory.to_owned(),
            json,
        })
        .collect()
}

impl Vector {
    /// When it is judged, Unix seconds, if the manifest says so.
    pub fn now(&self) -> Option<u64> {
        self.json["now"]["unix"].as_u64()
    }

    /// Something that is expected of it: `result`, `strict_policy`, `tcb_status`, ….
    pub fn expected(&self, name: &str) -> &Value {
        &self.json["expected"][name]
    }

    /// Whether it is expected to be accepted.
    pub fn is_accepted(&self) -> bool {
        self.expected("result") == "accept"
    }

    /// `positive` or `negative`.
    pub fn polarity(&self) -> &str {
        self.json["polarity"].as_str().unwrap()
    }

    /// What it measures, by name.
    pub fn measurements(&self) -> &Value {
        &self.json["measurements"]
    }

    /// The files of these roles, in the manifest's order.
    ///
    /// # Panics
    ///
    /// If one is unreadable.
    pub fn files(&self, roles: &[&str]) -> Vec<Vec<u8>> {
        let files = self.json["files"].as_array().unwrap().iter();
        files
            .filter(|file| roles.contains(&file["role"].as_str().unwrap()))
            .map(|file| self.beside(file["path"].as_str().unwrap()))
            .collect()
    }

    /// The first file of this role, if it has one.
    pub fn optional(&self, role: &str) -> Option<Vec<u8>> {
        self.files(&[role]).into_iter().next()
    }

    /// The first file of this role.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub fn file(&self, role: &str) -> Vec<u8> {
        self.optional(role)
            .unwrap_or_else(|| panic!("{}: no {role}", self.id))
    }

    /// Another file of the directory.
    ///
    /// # Panics
    ///
    /// If it is unreadable.
    pub fn beside(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.directory.join(path)).unwrap()
    }

    /// The evidence itself, if it is of a kind that files are made of, and what is needed beside it
    /// to verify it.
    pub fn evidence(&self) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let evidence = ["quote", "report", "cose_sign1", "evidence_json"];
        let beside = ["collateral_json", "vek_der", "ask_der", "ark_der"];
        let evidence = self.files(&evidence).into_iter().next()?;
        Some((evidence, self.files(&beside)))
    }
}
