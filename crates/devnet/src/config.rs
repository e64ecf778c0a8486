// SPDX-License-Identifier: Apache-2.0
//! What verifier and node are configured with.

use std::path::Path;

use alloy_primitives::Address;
use subrosa_types::measured::Measured;

use crate::{DevAccount, DevnetError, Layout, anvil::Anvil, service::Service};

/// The verifier's configuration file.
pub(crate) fn verifier(layout: &Layout, port: u16, chain_id: u64, registry: Address) -> String {
    let ear = quoted(&layout.keys().join("verifier-ear.json"));
    let admission = quoted(&layout.keys().join("verifier-admission.json"));
    format!(
        "# Written by the development network.\n\
         listen = \"127.0.0.1:{port}\"\n\
         issuer = \"urn:subrosa:development-verifier\"\n\
         development = true\n\
         ear_key_file = {ear}\n\
         admission_key_file = {admission}\n\
         \n\
         [limits]\n\
         requests_per_second = 10000\n\
         burst = 10000\n\
         \n\
         [[registries]]\n\
         chain_id = {chain_id}\n\
         address = \"{registry}\"\n"
    )
}

/// The node's configuration file.
pub(crate) fn node(
    layout: &Layout,
    anvil: &Anvil,
    verifier_url: Option<&str>,
    relay: &DevAccount,
    measured: &Measured,
    mailbox: Address,
    (rpc, admin): (u16, u16),
) -> Result<String, DevnetError> {
    let measured = toml::to_string(&toml::Table::from_iter([(
        "measured".to_owned(),
        toml::Value::try_from(measured).map_err(|error| DevnetError::Unexpected {
            name: Service::Node.name(),
            problem: format!("cannot be configured: {error}"),
        })?,
    )]))
    .map_err(|error| DevnetError::Unexpected {
        name: Service::Node.name(),
        problem: format!("cannot be configured: {error}"),
    })?;
    let (socket, key, data) = (
        quoted(&layout.socket()),
        quoted(relay.key_file()),
        quoted(&layout.node_data()),
    );
    let (http, ws) = (anvil.http(), anvil.ws());
    let (admission, verifier) = match verifier_url {
        Some(url) => ("verifier", format!("[verifier]\nurl = \"{url}\"\n\n")),
        None => ("dcap", String::new()),
    };
    Ok(format!(
        "# Written by the development network.\n\
         {measured}\n\
         [chain]\n\
         http = \"{http}\"\n\
         ws = \"{ws}\"\n\
         \n\
         [enclave]\n\
         socket = {socket}\n\
         admission = \"{admission}\"\n\
         open_epochs = \"when-scheduled\"\n\
         \n\
         {verifier}\
         [relay]\n\
         key = {{ file = {key} }}\n\
         \n\
         [mailbox]\n\
         address = \"{mailbox}\"\n\
         answers_per_minute = 60\n\
         \n\
         [rpc]\n\
         listen = \"127.0.0.1:{rpc}\"\n\
         \n\
         [rpc.limits]\n\
         queries_per_second = 10000\n\
         query_burst = 10000\n\
         attestations_per_minute = 10000\n\
         attestation_burst = 10000\n\
         deploys_per_minute = 10000\n\
         deploy_burst = 10000\n\
         max_waiting = 256\n\
         \n\
         [admin]\n\
         listen = \"127.0.0.1:{admin}\"\n\
         \n\
         [data]\n\
         directory = {data}\n"
    ))
}

/// A path as a TOML string.
fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_quotes_stay_strings() {
        let text = format!("path = {}", quoted(Path::new("/tmp/a \"b\" \\c")));
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["path"].as_str(), Some("/tmp/a \"b\" \\c"));
    }
}
