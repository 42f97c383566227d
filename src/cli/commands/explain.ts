import type { RequestStory } from '../../core/request-story.ts';
import { ACCESS_OPTIONS, callAdmin, findAdmin } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { table } from '../terminal.ts';
import type { Command } from './command.ts';

/** Tells what became of one request, phase by phase. */
export const explain: Command = {
  name: 'explain',
  usage: 'explain <request id> [--admin URL] [--token-file FILE] [--json]',
  summary: 'Tell of a finished request which variant it got and why, what each phase decided, and how long it took.',
  examples: ['sluice explain 0f6c1c4e8b7a4d0e', 'sluice explain order-4711 --json'],
  async run(args, terminal) {
    const { values, positionals } = parseExplain(args);
    const [id, ...rest] = positionals;
    if (id === undefined || rest.length > 0) throw new CliError(Exit.Usage, `Usage: sluice ${explain.usage}`);
    const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
    const answer = await callAdmin<{ readonly requests: readonly RequestStory[] }>(
      access,
      'GET',
      `requests/${encodeURIComponent(id)}`,
    );
    if (values.json === true) terminal.out(JSON.stringify(answer));
    else terminal.out(answer.requests.map(storyText).join('\n\n'));
    return Exit.Ok;
  },
};

const parseExplain = (args: readonly string[]) => readArgs(args, explain.usage, { ...ACCESS_OPTIONS, json: { type: 'boolean' } });

/** One request as people read it. */
export function storyText(story: RequestStory): string {
  const { placement, fault } = story;
  const lines = [
    `request   ${story.requestId}${story.traceId === '' ? '' : `, trace ${story.traceId}`}`,
    `ended     ${story.at} after ${ms(story.durationUs)} ms: ${fault === null ? `answered by ${story.answeredBy || 'the gateway'}` : `refused, ${fault.code}`}`,
    `asked     ${story.method} ${story.path} over ${story.face} by ${story.tenant === '' ? 'a stranger' : `${story.tenant} (${story.keyId})`}`,
  ];
  if (placement !== null) lines.push(`placed    ${placement.why}`);
  for (const { variant, endpoint, code, durationUs } of story.failedTries) {
    lines.push(`failed    ${code} from ${variant}${endpoint === '' ? '' : ` at ${endpoint}`} after ${ms(durationUs)} ms`);
  }
  const rows = story.phases.map(({ phase, durationUs, decided }) => [phase, ms(durationUs), decided]);
  return `${lines.join('\n')}\n\n${table(['phase', 'ms', 'decided'], rows)}`;
}

const ms = (us: number): string => (us / 1000).toFixed(3);
