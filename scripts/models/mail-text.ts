/** Turns a raw mail into the plain text the spam models read: the subject and the readable body, on one line. */

/** Past this length a mail says nothing new about itself, and a gateway would refuse the body anyway. */
export const MAIL_TEXT_MAX = 4_000;

export function mailText(raw: string): string {
  const headEnd = raw.search(/\r?\n\r?\n/);
  const head = headEnd < 0 ? raw : raw.slice(0, headEnd);
  const body = headEnd < 0 ? '' : raw.slice(headEnd);
  const encoded = /quoted-printable/i.test(raw);
  const text = `${subjectOf(head)} ${withoutHtml(withoutParts(encoded ? decodeQuotedPrintable(body) : body))}`;
  // onnxruntime's StringSplit cuts at spaces alone, so no other white space may survive.
  return text
    .replace(/[\s\p{Cc}\ufffd]+/gu, ' ')
    .trim()
    .slice(0, MAIL_TEXT_MAX)
    .toWellFormed();
}

/** Tags such as [ILUG] name the mailing list: a model would learn the list and not the mail. */
function subjectOf(head: string): string {
  const subject = /^Subject:(.*(?:\n[ \t].*)*)/im.exec(head)?.[1] ?? '';
  return subject.replace(/\[[^\]]{1,40}\]/g, ' ');
}

function decodeQuotedPrintable(body: string): string {
  return body
    .replace(/=\r?\n/g, '')
    .replace(/=([2-7][0-9A-F])/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/=[0189A-F][0-9A-F]/g, ' ');
}

/** Drops what separates the parts of a MIME mail, and attachments in base64. */
function withoutParts(body: string): string {
  return body
    .replace(/^content-[a-z-]+:.*(?:\n[ \t].*)*/gim, ' ')
    .replace(/^--\S+$/gm, ' ')
    .replace(/^[A-Za-z0-9+/=]{60,}$/gm, ' ');
}

function withoutHtml(body: string): string {
  return body
    .replace(/<(style|script)\b[\s\S]{0,20000}?<\/\1>/gi, ' ')
    .replace(/<!--[\s\S]{0,5000}?-->/g, '')
    .replace(/<[a-z/!][^<>]{0,2000}>/gi, ' ')
    .replace(/&nbsp;/gi, ' ')
    .replace(/&lt;/gi, '<')
    .replace(/&gt;/gi, '>')
    .replace(/&quot;/gi, '"')
    .replace(/&amp;/gi, '&')
    .replace(/&#?[a-z0-9]{1,8};/gi, ' ');
}
