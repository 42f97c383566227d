import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { Verdict } from '../../core/verdict.ts';
import { FILE_DESCRIPTORS } from '../../wire/oip/descriptors.ts';
import {
  decodeReflectionRequest,
  encodeReflectionResponse,
  type ReflectionAnswer,
  type ReflectionQuestion,
} from '../../wire/oip/reflection-messages.ts';
import { QueryCodec } from './query-codec.ts';

/** Each message of server reflection: what is served here, and what its messages look like. */
export class ReflectionCodec extends QueryCodec {
  readonly name = 'grpc_reflection';
  readonly #files = new Map<string, ReflectionAnswer>();
  readonly #symbols = new Map<string, ReflectionAnswer>();
  readonly #services: ReflectionAnswer;

  constructor() {
    super();
    const services: string[] = [];
    for (const { file, services: own, symbols, base64 } of FILE_DESCRIPTORS) {
      const answer: ReflectionAnswer = { is: 'file', descriptor: Buffer.from(base64, 'base64') };
      this.#files.set(file, answer);
      for (const symbol of symbols) this.#symbols.set(symbol, answer);
      services.push(...own);
    }
    this.#services = { is: 'services', names: services.sort() };
  }

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const request = decodeReflectionRequest(message);
    if (typeof request === 'string') return ctx.refuse(Fault.Malformed, request);
    return encodeReflectionResponse(request, message, this.#answer(request.question));
  }

  #answer(question: ReflectionQuestion): ReflectionAnswer {
    switch (question.is) {
      case 'file':
        return this.#files.get(question.name) ?? notFound('There is no such file.');
      case 'symbol':
        return this.#symbols.get(question.name) ?? notFound('There is no such symbol.');
      case 'services':
        return this.#services;
      case 'extension':
      case 'extensions':
        return notFound('Nothing here is extended.');
      case 'none':
        return { is: 'error', code: GrpcStatus.InvalidArgument, message: 'No question is asked, expected one.' };
      default:
        return question satisfies never;
    }
  }
}

function notFound(message: string): ReflectionAnswer {
  return { is: 'error', code: GrpcStatus.NotFound, message };
}
