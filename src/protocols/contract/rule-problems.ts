import type { InputRule } from '../../config/model-schema.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { quoted } from '../../wire/json/message-text.ts';

/** What is wrong with the operator's rules in the light of the model's own signature; empty when all of them can be kept. */
export function ruleProblems(signature: Signature, rules: Readonly<Record<string, InputRule>>): string[] {
  const problems: string[] = [];
  for (const [name, rule] of Object.entries(rules)) {
    const spec = signature.inputs.find((input) => input.name === name);
    if (spec !== undefined) problems.push(...problemsOf(spec, rule));
    else {
      const inputs = signature.inputs.map((input) => quoted(input.name)).join(', ');
      problems.push(`inputs has a rule for ${quoted(name)}, which the model lacks; its inputs are ${inputs}`);
    }
  }
  return problems;
}

function problemsOf(spec: TensorSpec, rule: InputRule): string[] {
  const problems: string[] = [];
  const at = `inputs.${spec.name}`;
  const kind = spec.datatype === 'BYTES' ? 'string' : 'number';
  const bounded = rule.min !== null || rule.max !== null;
  if (bounded && (kind === 'string' || spec.datatype === 'BOOL')) {
    problems.push(`${at}: min and max mean nothing for a ${spec.datatype} input`);
  }
  if (rule.min !== null && rule.max !== null && rule.min > rule.max) {
    problems.push(`${at}: min ${rule.min} is greater than max ${rule.max}`);
  }
  if (rule.allowedValues?.some((value) => typeof value !== kind)) {
    problems.push(`${at}: allowedValues of a ${spec.datatype} input must be ${kind}s`);
  }
  return problems;
}
