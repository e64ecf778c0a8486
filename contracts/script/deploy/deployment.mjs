// SPDX-License-Identifier: Apache-2.0
// One chain's contracts: AccessManager, registry, oracle and the verification of quotes, and what they are recorded as.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getAddress, isAddress, isAddressEqual, isHex, size } from 'viem';
import { familyOf, features } from './chain.mjs';
import { CREATE2_DEPLOYER, ensureContract, ensureDeployer } from './create2.mjs';
import { setUp } from './governance.mjs';
import { PRICES, faultsOf } from './prices.mjs';

/** The runtime generation that enclaves have: `RUNTIME_GENERATION` of the virtual machine. */
const RUNTIME_GENERATION = 1;

const artifacts = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'artifacts');

/**
 * Deploys what is missing, checks what is there, sets up the roles as far as `account` may.
 *
 * Gives { record, left, unnamed, unadded }: what belongs into the deployments file, the AccessManager calls
 * that only the administrator can make, SubrosaDcap's address unless the registry names it already, which
 * only the appointer can have it do, and the runtime generation unless it was added already, which only
 * a curator can do. Run again it changes nothing and gives the same record.
 *
 * @param previous the record of an earlier run, from which blocks and transactions are taken over
 */
export async function deploy(client, account, configuration, previous) {
  const settings = checked(configuration);
  const family = await familyOf(client);
  await ensureDeployer(client, account);

  const contracts = {};
  const put = async (name, args, kind = name) => {
    const artifact = JSON.parse(readFileSync(join(artifacts, `${kind}.json`), 'utf8'));
    const { address, codeHash, receipt } = await ensureContract(client, account, { artifact, args, salt: settings.salt });
    const known = previous?.contracts[name]?.address === address ? previous.contracts[name] : undefined;
    contracts[name] = {
      address,
      codeHash,
      arguments: args,
      block: receipt ? Number(receipt.blockNumber) : known?.block,
      transaction: receipt?.transactionHash ?? known?.transaction,
    };
    return { address, abi: artifact.abi };
  };
  // What looks at the chain's blocks.
  const kindOf = (name) => (family === 'arbitrum' ? `${name}Arbitrum` : name);
  const manager = await put('AccessManager', [settings.admin]);
  const registry = await put('SubrosaRegistry', [
    manager.address,
    settings.activationDelay,
    settings.maximumLease,
    settings.openingTimeout,
    settings.suspensionCooldown,
  ], kindOf('SubrosaRegistry'));
  const oracle = await put('SubrosaOracle', [registry.address, settings.prices], kindOf('SubrosaOracle'));
  await put('SubrosaLens', [oracle.address], kindOf('SubrosaLens'));
  await put('SubrosaMailbox', [oracle.address, registry.address]);
  const dcap = await put('SubrosaDcap', [settings.rootIds]);
  // Chosen when it was deployed: the precompile, or a fallback deployed along with it.
  contracts.SubrosaDcap.p256 = await client.readContract({ ...dcap, functionName: 'p256' });

  const left = await setUp(client, account, { manager, registry, configuration: settings });
  const [named] = await client.readContract({ ...registry, functionName: 'dcapVerification' });
  const runtimeOf = { ...registry, functionName: 'runtimeOf', args: [RUNTIME_GENERATION] };
  const [activeFrom] = await client.readContract(runtimeOf);
  const { salt, rootIds, prices, ...governance } = settings;
  const record = {
    $schema: './schema.json',
    chainId: await client.getChainId(),
    create2Deployer: CREATE2_DEPLOYER,
    salt,
    contracts,
    governance,
    chain: { family, ...(await features(client)) },
  };
  return {
    record,
    left: left.map((call) => ({ to: manager.address, ...call })),
    unnamed: isAddressEqual(named, dcap.address) ? undefined : dcap.address,
    unadded: activeFrom === 0 ? RUNTIME_GENERATION : undefined,
  };
}

/** The configuration with every value checked and addresses in their canonical case. */
function checked(given) {
  const { salt, rootIds, admin, roles, prices = {}, ...others } = given;
  const { adminDelay, appointerDelay, activationDelay, maximumLease, openingTimeout, suspensionCooldown, ...unknown } = others;
  const faults = Object.keys(unknown).map((key) => `${key}: not known`);
  const seconds = { adminDelay, appointerDelay, activationDelay, maximumLease, openingTimeout, suspensionCooldown };
  for (const [key, value] of Object.entries(seconds)) {
    // Delays of the AccessManager have 32 bits.
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) faults.push(`${key}: ${value} is not a number of seconds`);
  }
  faults.push(...faultsOf(prices));
  if (maximumLease === 0) faults.push('maximumLease: no signer could be admitted');
  if (!isHex(salt) || size(salt) !== 32) faults.push(`salt: ${salt} is not 32 bytes`);
  const roots = Array.isArray(rootIds) ? rootIds : [];
  if (roots.length === 0) faults.push('rootIds: at least one root is needed; Intel\'s is in deployments/README.md');
  for (const root of roots) if (!isHex(root) || size(root) !== 32) faults.push(`rootIds: ${root} is not 32 bytes`);
  // One set of roots gives one address, however it is written.
  const sorted = [...new Set(roots.map((root) => String(root).toLowerCase()))].sort();
  const address = (key, value) => (isAddress(value) ? getAddress(value) : (faults.push(`${key}: ${value} is no address`), value));
  const members = (name) => {
    const list = roles?.[name];
    if (!Array.isArray(list) || list.length === 0) return faults.push(`roles.${name}: at least one account is needed`), [];
    return list.map((value) => address(`roles.${name}`, value));
  };
  const settings = {
    salt,
    rootIds: sorted,
    admin: address('admin', admin),
    ...seconds,
    prices: { ...PRICES, ...prices },
    roles: { guardian: members('guardian'), curator: members('curator'), appointer: members('appointer') },
  };
  for (const name of Object.keys(roles ?? {})) if (!settings.roles[name]) faults.push(`roles.${name}: not known`);
  if (faults.length > 0) throw new Error(`configuration: ${faults.join('; ')}`);
  return settings;
}
