/** The ways in which a key is made: by two APIs of Stripe, and by a person in the Dashboard. */
export const KEY_APIS = ['managed', 'restricted_keys', 'dashboard'] as const;
export type KeyApiName = (typeof KEY_APIS)[number];

/** A key API that a program can call. */
export type CallableKeyApi = Exclude<KeyApiName, 'dashboard'>;

/** What may be asked for, the default first. `auto`: the managed API, else the Dashboard. */
export const KEY_API_CHOICES = ['auto', ...KEY_APIS] as const;
export type KeyApiChoice = (typeof KEY_API_CHOICES)[number];
