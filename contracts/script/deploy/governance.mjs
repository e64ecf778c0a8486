// SPDX-License-Identifier: Apache-2.0
// Who may do what to the registry. Oracle and registry cannot be upgraded; what can change is what the
// registry trusts, by accounts in three roles of its AccessManager, under an administrator.

import { encodeFunctionData, toFunctionSelector } from 'viem';
import { mined } from './create2.mjs';

const ADMIN = 0n;

/**
 * Roles by name. A *guardian* suspends, at once, and can neither revoke nor give trust: one stolen key
 * stops, and destroys nothing. A *curator* adds builds, configurations and runtime generations, which the
 * registry's activation delay holds back, and schedules and retires epochs, of which all members were held
 * back so. An *appointer* says whose word admits signers and what is asked of families of TEEs, revokes, and
 * lifts what was suspended, and waits for the delay in the configuration; a guardian can cancel meanwhile.
 */
const ROLES = {
  guardian: { id: 1n, functions: ['suspend'] },
  curator: { id: 2n, functions: ['addMeasurement', 'addConfig', 'addRuntime', 'scheduleEpoch', 'retireEpoch'] },
  appointer: {
    id: 3n,
    functions: [
      'setVerifier',
      'setVerifierThreshold',
      'setDcap',
      'setFamily',
      'lift',
      'revokeMeasurement',
      'removeConfig',
      'revokeSigner',
      'revokeVerifier',
      'revokeDcap',
      'denyProduct',
      'allowProduct',
      'denyMachine',
      'allowMachine',
      'restrictMachines',
      'withdrawRuntime',
    ],
  },
};

/** What everybody may call, and what the registry takes from its authority alone. */
const UNGOVERNED = [
  'admit',
  'registerSignerDcap',
  'openEpoch',
  'acknowledgeEpoch',
  'entrustEpoch',
  'setAuthority',
];

/**
 * The calls of the AccessManager that still have to be made until the roles are as configured, as
 * { what, data }, in order. Empty if nothing is left to do.
 *
 * @param configuration see `deployments/README.md`
 */
export async function remaining(client, { manager, registry, configuration }) {
  requireEveryFunctionGoverned(registry.abi);
  const read = (functionName, ...args) => client.readContract({ ...manager, functionName, args });
  const calls = [];
  const call = (what, functionName, ...args) => {
    calls.push({ what, data: encodeFunctionData({ abi: manager.abi, functionName, args }) });
  };

  for (const [name, { id, functions }] of Object.entries(ROLES)) {
    const wrong = [];
    for (const selector of functions.map((name) => selectorOf(registry.abi, name))) {
      if ((await read('getTargetFunctionRole', registry.address, selector)) !== id) wrong.push(selector);
    }
    if (wrong.length > 0) {
      call(`give the ${name} its functions`, 'setTargetFunctionRole', registry.address, wrong, id);
      call(`label the ${name}'s role`, 'labelRole', id, `SUBROSA_${name.toUpperCase()}`);
    }
    const delay = name === 'appointer' ? configuration.appointerDelay : 0;
    for (const member of configuration.roles[name]) {
      const [since, current, pending] = await read('getAccess', id, member);
      if (since === 0 || (pending || current) !== delay) call(`make ${member} a ${name}`, 'grantRole', id, member, delay);
    }
  }
  if ((await read('getRoleGuardian', ROLES.appointer.id)) !== ROLES.guardian.id) {
    call('let guardians cancel appointments', 'setRoleGuardian', ROLES.appointer.id, ROLES.guardian.id);
  }
  // Last: from then on the administrator has to schedule what it does.
  const [, delay] = await read('getAccess', ADMIN, configuration.admin);
  if (delay < configuration.adminDelay) {
    call('delay the administrator', 'grantRole', ADMIN, configuration.admin, configuration.adminDelay);
  }
  return calls;
}

/**
 * Makes the calls if `account` is the administrator and need not wait. Gives those that are left for
 * the administrator.
 */
export async function setUp(client, account, context) {
  const calls = await remaining(client, context);
  const { manager, configuration } = context;
  if (calls.length === 0) return [];
  const isAdmin = account.address.toLowerCase() === configuration.admin.toLowerCase();
  const [, delay] = await client.readContract({ ...manager, functionName: 'getAccess', args: [ADMIN, configuration.admin] });
  if (!isAdmin || delay !== 0) return calls;
  const data = encodeFunctionData({ abi: manager.abi, functionName: 'multicall', args: [calls.map(({ data }) => data)] });
  await mined(client, await client.sendTransaction({ account, to: manager.address, data }));
  return remaining(client, context);
}

/** A function added later must not end up with the administrator because nobody thought of it. */
function requireEveryFunctionGoverned(abi) {
  const known = new Set([...UNGOVERNED, ...Object.values(ROLES).flatMap(({ functions }) => functions)]);
  const open = abi.filter(({ type, stateMutability, name }) => {
    return type === 'function' && !['view', 'pure'].includes(stateMutability) && !known.has(name);
  });
  if (open.length > 0) throw new Error(`no role is decided for ${open.map(({ name }) => name).join(', ')}`);
}

function selectorOf(abi, name) {
  return toFunctionSelector(abi.find((item) => item.type === 'function' && item.name === name));
}
