// SPDX-License-Identifier: Apache-2.0
//! The OpenRPC document, and the tests that keep it true.

use std::sync::LazyLock;

use serde_json::Value;

/// What `rpc.discover` returns: `docs/openrpc.json` with this build's version.
pub(super) fn document() -> Value {
    DOCUMENT.clone()
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(TEXT).unwrap_or_default();
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    }
    document
});

const TEXT: &str = include_str!("../../../../../docs/openrpc.json");

#[cfg(test)]
mod tests;
