/** What a server of ours answers, before it is put on the wire. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
  /** Sent in its place, as it is: the answer of a server behind the gate. */
  readonly raw?: Buffer;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export interface ErrorFields {
  readonly type?: string;
  readonly code?: string;
  readonly message: string;
  readonly param?: string;
  /** The card issuer's own reason. */
  readonly declineCode?: string | undefined;
}

/** An error object in Stripe's form. @see https://docs.stripe.com/api/errors */
export function errorAnswer(status: number, fields: ErrorFields): Answer {
  const { type = 'invalid_request_error', code, message, param, declineCode } = fields;
  return {
    status,
    body: {
      // JSON leaves out what is undefined.
      error: {
        code,
        decline_code: declineCode,
        doc_url: code === undefined ? undefined : docUrl(code),
        message,
        param,
        type,
      },
    },
  };
}

function docUrl(code: string): string {
  return `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;
}

/** `No such customer: 'cus_x'`; 404 for an id in the path, 400 for most ids in parameters. */
export function missingObject(object: string, id: string, param: string, status: 400 | 404 = 404): Answer {
  return errorAnswer(status, {
    code: 'resource_missing',
    message: `No such ${object.replace(/^.*\./, '')}: '${id}'`,
    param,
  });
}

/** Whether a request with this answer went through. */
export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}
