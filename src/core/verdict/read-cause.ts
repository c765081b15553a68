/**
 * What an answer is about when it is about something else than the permissions of the key: the account, the
 * product, the mode, the kind of key. Whether Stripe looks at these before or after the permission is not known.
 */
export type Cause =
  | 'product-off'
  | 'connect-off'
  | 'accounts-v2-off'
  | 'mode'
  | 'publishable-key-only'
  | 'token'
  | 'sensitive-results'
  | 'idle-key'
  | 'session'
  | 'application'
  | 'controlled-elsewhere'
  | 'v2-forbidden'
  | 'approval-required'
  | 'not-parameters';

/** What tells a cause: a code or type, or words of the message where Stripe gives no code. */
interface Sign {
  readonly cause: Cause;
  readonly codes?: readonly string[];
  readonly words?: RegExp;
}

/** First match counts. From docs/observed.md, "Answers about something else". */
const SIGNS: readonly Sign[] = [
  {
    cause: 'approval-required',
    codes: ['approval_required'],
    words: /^This action requires approval before it can be completed/i,
  },
  {
    cause: 'publishable-key-only',
    codes: ['token_must_be_created_with_publishable_key'],
    words: /must be (?:created|made|used) with (?:a|your|the) publishable/i,
  },
  {
    cause: 'connect-off',
    codes: ['non_connect_platform_accounts_v2_access_blocked', 'platform_account_required'],
    words: /sign(?:ed)? up for Connect|(?:not|isn't|only) (?:registered as )?a (?:Stripe )?Connect platform/i,
  },
  { cause: 'accounts-v2-off', codes: ['accounts_v2_access_blocked'] },
  {
    cause: 'mode',
    codes: ['livemode_mismatch', 'testmode_charges_only', 'livemode_only', 'testmode_only'],
    words:
      /\bonly live keys can\b|\bonly test keys can\b|only (?:be (?:used|called|made|accessed) |available |allowed |supported )?(?:in|with|by|from) (?:your )?(?:a )?(?:test|live|sandbox)[ -]?(?:mode|keys?|es)?\b|(?:not|isn't) (?:available|allowed|supported) in (?:test|live) ?mode/i,
  },
  { cause: 'token', codes: ['invalid_account_token', 'invalid_person_token'] },
  { cause: 'sensitive-results', words: /sensitive verification results/i },
  {
    cause: 'idle-key',
    codes: ['api_key_idle', 'api_key_inactive'],
    words:
      /\bkey\b.*\b(?:idle|inactive|inactivity|not been used|hasn't been used|limited access|unused|dormant|restored?|reactivated?)\b|\b(?:idle|inactive|unused|dormant)\b.*\bkey\b|\bmoney movement\b/i,
  },
  {
    cause: 'session',
    codes: ['billing_meter_event_session_expired', 'more_permissions_required_for_session'],
  },
  { cause: 'application', codes: ['more_permissions_required_for_application'] },
  {
    cause: 'controlled-elsewhere',
    codes: ['controlled_by_dashboard', 'controlled_by_alternate_resource', 'blocked_by_stripe'],
  },
  {
    cause: 'product-off',
    codes: [
      'feature_not_enabled',
      'feature_unavailable_for_merchant',
      'account_not_enabled',
      'product_not_enabled',
      'financial_account_capability_not_enabled',
    ],
    words:
      /(?:not|n't|never) (?:(?:been|currently|yet|correctly|properly) )*(?:set ?up|signed up|onboarded|enrolled|activated|enabled|eligible|approved)\b|\b(?:is|are) (?:unavailable|not available|not enabled|not supported) (?:for|on|to) (?:your|this|the) (?:merchant|account|platform|business)|(?:do|does) not have access to (?:this|the) (?:feature|product|api)|must (?:first )?(?:be enabled|enable|activate|sign up for|onboard)\b|(?:need|have) to (?:first )?(?:enable|activate|sign up for|onboard)\b|\bsign up (?:for|at)\b|(?:request|get) access (?:to|at)\b|\bunavailable for (?:this |your |the )?(?:merchant|account)/i,
  },
];

/** What an error of Stripe's form says. */
export interface ErrorWords {
  readonly message: string;
  readonly code?: string;
  readonly type?: string;
  /** The parameter that it is about. */
  readonly param?: string;
}

/**
 * What a 4xx says besides yes and no, by its code, its type, and where Stripe gives none its words; undefined where
 * it is none of these. The message is read here and dropped.
 * @see docs/observed.md
 */
export function readCause(status: number, { message, code, type, param }: ErrorWords): Cause | undefined {
  if (code !== undefined && ABOUT_PARAMETERS.test(code)) return undefined;
  // Of a 401 only a session's code: everything else there is about the key.
  if (status === 401) return code === 'billing_meter_event_session_expired' ? 'session' : undefined;
  if (status < 400 || status >= 500 || status === 429) return undefined;
  const text = message.replace(/\s+/g, ' ').trim();
  const hasWords = status !== 404 && code !== 'resource_missing';
  const sign = SIGNS.find(
    ({ codes = [], words }) =>
      codes.some((one) => one === code || one === type) || (hasWords && words?.test(text) === true),
  );
  if (sign !== undefined) return sign.cause;
  if (status === 403) return code === 'forbidden' ? 'v2-forbidden' : undefined;
  const isSilent = text === '' && code === undefined;
  return status !== 400 || isSilent || speaksOfParameters(text, param) ? undefined : 'not-parameters';
}

/** Codes of refused parameters, and of an object that is not there. */
const ABOUT_PARAMETERS = /^(?:parameter_|resource_missing$|not_found$)/;

/** How Stripe (v1, v2) and stripe-mock begin or word a refusal of parameters that has no code. */
const PARAMETER_WORDS =
  /^(?:Missing required|Received unknown|Invalid [\w[\]. ]+(?::| must | of type |$)|Invalid \w+$|You passed|You (?:may|must|can|cannot|can't|should) (?:only )?(?:pass|provide|specify|supply|expand|set)|Must (?:pass|provide|specify|supply)|One of the following|At least one of|This property cannot be expanded|No such |Request validation error|'?[\w.[\]]+: )|\b(?:param|params|parameters?|fields?|arguments?|property|properties|JSON|request body|enum|validation)\b/i;

/** Who the words are about when they are not about what was sent. */
const ABOUT_THE_ACCOUNT =
  /\b(?:your|this|the) (?:\w+ )?(?:account|merchant|platform|business|organi[sz]ation|country|region)\b/i;

/** Only such a 400 shows that Stripe got past the key: what else it may be about is not known. */
function speaksOfParameters(text: string, param: string | undefined): boolean {
  if (param !== undefined && param !== '') return true;
  return PARAMETER_WORDS.test(text) && !ABOUT_THE_ACCOUNT.test(text);
}

/** Each cause in one sentence. */
export const CAUSE_TEXT: Readonly<Record<Cause, string>> = {
  'product-off': 'The account has not set up, or may not use, the product of this call.',
  'connect-off': 'The account is not signed up for Connect.',
  'accounts-v2-off': 'Accounts v2 is not on for this account.',
  mode: 'The call exists only in the other mode (test or live), or a setting of the account allows one mode only.',
  'publishable-key-only': 'Stripe takes this call from a publishable key only.',
  token: 'Stripe refused the account or person token, not the key.',
  'sensitive-results':
    'Sensitive results of Identity need a permission of their own, and secret keys are refused them too.',
  'idle-key': 'Stripe limits this key for having long been idle; restore it in the Dashboard and ask again.',
  session: 'The call takes the token of a session, not an API key.',
  application: 'The permissions of an application were refused, not those of the key.',
  'controlled-elsewhere': 'The object is controlled elsewhere, or Stripe has blocked it.',
  'v2-forbidden':
    'Stripe answered with the code "forbidden" alone, which names neither the key nor a permission.',
  'not-parameters': 'Stripe answered about something else than the parameters sent.',
  'approval-required':
    'The permission is there, and a rule of the account (Approvals) holds the action until a person approves it.',
};
