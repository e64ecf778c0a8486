// SPDX-License-Identifier: Apache-2.0
// What a transaction's gas is spent on, from its trace: to see what a figure is bounded by.

/** Parts of a mined transaction's gas; they add up to what the receipt says. Refunds are negative. */
export async function breakdown(client, { transactionHash: hash, gasUsed }) {
  const { input } = await client.getTransaction({ hash });
  const trace = await client.request({ method: 'debug_traceTransaction', params: [hash, { disableMemory: true, disableStorage: true }] });
  const parts = { 'every transaction': 21_000, calldata: calldata(input) };
  const add = (part, gas) => (parts[part] = (parts[part] ?? 0) + gas);
  for (const { part, gas } of costs(trace.structLogs)) add(part, gas);
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  const rest = Number(gasUsed) - sum;
  if (rest !== 0) add(rest < 0 ? 'refunds' : 'calldata floor', rest);
  return parts;
}

/** EIP-2028: 16 gas for a byte, 4 for a zero. */
function calldata(input) {
  let gas = 0;
  for (let i = 2; i < input.length; i += 2) gas += input.startsWith('00', i) ? 4 : 16;
  return gas;
}

/** What each instruction costs by itself, without the calls it makes, and what it is for. */
function costs(logs) {
  const found = [];
  // Whose code runs, per depth.
  const frames = [{ name: 'the contract' }];
  logs.forEach((log, i) => {
    while (frames.length > log.depth) frames.pop();
    const next = logs[i + 1];
    const enters = next && next.depth > log.depth;
    if (!enters) {
      const stays = next && next.depth === log.depth;
      // The last instruction of a frame ends it; a call without code, a precompile's, does not enter.
      const gas = stays ? log.gas - next.gas : log.gasCost;
      found.push({ part: partOf(log, frames), gas });
      return;
    }
    // Entered: its own cost is what is gone when the frame is back, less what was spent inside.
    const back = logs.findIndex((later, j) => j > i && later.depth === log.depth);
    const after = back < 0 ? log.gas - log.gasCost : logs[back].gas;
    const name = log.op === 'STATICCALL' ? 'the registry' : 'the requester';
    found.push({ part: `calling ${name}`, gas: log.gas - after - spentWithin(logs, i + 1, log.depth + 1) });
    frames.push({ name });
  });
  return found;
}

/** Gas spent by the frame that starts at `start`, the calls it makes included. */
function spentWithin(logs, start, depth) {
  let end = start;
  while (end + 1 < logs.length && logs[end + 1].depth >= depth) end += 1;
  return logs[start].gas - logs[end].gas + logs[end].gasCost;
}

function partOf({ op, depth, stack }, frames) {
  if (depth > 1) return `inside ${frames[depth - 1].name}`;
  if (op === 'SLOAD' || op === 'SSTORE') return 'storage';
  if (op.startsWith('LOG')) return 'events';
  if (op === 'CALL' || op === 'STATICCALL') return calleeOf(stack) <= 0x200n ? 'precompiles' : 'paying the sender';
  return 'computing';
}

function calleeOf(stack) {
  return BigInt(stack[stack.length - 2]) & ((1n << 160n) - 1n);
}
