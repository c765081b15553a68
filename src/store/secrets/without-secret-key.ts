/** The variable of the key that makes keys. */
export const SECRET_KEY_VARIABLE = 'STRIPE_SECRET_KEY';

type Env = Readonly<Record<string, string | undefined>>;

/** The environment of a command that keyaudit starts: what makes keys is not its business. */
export function withoutSecretKey(env: Env): Env {
  const { [SECRET_KEY_VARIABLE]: _secretKey, ...others } = env;
  return others;
}
