/** What a variable that holds a key may be called: a name that every shell and every reader of env files takes. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Variables that steer other programs: a key in one of them breaks them, or is run, loaded or logged by them. */
const TAKEN: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /^(?:PATH|HOME|USER|LOGNAME|USERNAME|SHELL|PWD|OLDPWD|TERM|LANG|LANGUAGE|TZ|TMPDIR|TEMP|TMP|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|BROWSER|CI|COLUMNS|LINES|UID|EUID|_|LC_.*|XDG_.*|SSH_.*|DBUS_.*|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|PROGRAMFILES|USERPROFILE)$/,
    'the system and every shell read it',
  ],
  [
    /^(?:IFS|ENV|BASH_.*|BASHOPTS|SHELLOPTS|PS[0-4]|PROMPT_COMMAND|CDPATH|GLOBIGNORE|FPATH|ZDOTDIR|FIGNORE)$/,
    'shells obey it',
  ],
  [/^(?:LD_.*|DYLD_.*|GLIBC_TUNABLES|MALLOC_.*|GCONV_PATH)$/, 'the loader of programs obeys it'],
  [
    /^(?:NODE_.*|NODE|NPM_.*|NVM_.*|YARN_.*|PNPM_.*|BUN_.*|DENO_.*|PYTHON.*|VIRTUAL_ENV|PIP_.*|RUBY.*|GEM_.*|BUNDLE_.*|PERL.*|JAVA_.*|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|CLASSPATH|GO(?:PATH|ROOT|FLAGS|PROXY|PRIVATE|ENV)|RUST.*|CARGO_.*|PHP.*|DOTNET_.*|DEBUG|CC|CXX|CFLAGS|LDFLAGS|MAKEFLAGS|VITEST.*)$/,
    'a language or its tools obey it',
  ],
  [
    /^(?:GIT_.*|DOCKER_.*|COMPOSE_.*|KUBE.*|AWS_.*|AZURE_.*|GOOGLE_.*|GITHUB_.*|GITLAB_.*|CI_.*|RUNNER_.*|ACTIONS_.*|INPUT_.*|VAULT_.*|OP_.*|DIRENV_.*)$/,
    'another tool reads it',
  ],
  [
    /^(?:(?:HTTPS?|ALL|NO|FTP)_PROXY|SSL_.*|OPENSSL_.*|CURL_.*|REQUESTS_CA_BUNDLE)$/,
    'programs read from it how to reach the network',
  ],
  [/^KEYAUDIT_.*$/, 'keyaudit reads its own settings from there'],
  [/^(?:NO_COLOR|FORCE_COLOR|CLICOLOR.*)$/, 'programs read from it whether to colour'],
  [/^STRIPE_(?:API_BASE|CLI_.*|DEVICE_NAME)$/, "Stripe's own command line reads it"],
];

/** A key where the name of its variable belongs. */
const KEY = /^(?:[srpeu]k_(?:org_|guard_)?(?:test|live)_|[sr]k_(?:org|guard)_|whsec_|mk_)/i;

/** Why a text can be no name of a variable that holds a key, as a sentence without its subject; undefined where it can. */
export function variableFault(name: string): { readonly message: string; readonly hint: string } | undefined {
  if (KEY.test(name)) {
    return {
      message: 'is a key, or the id of one, where the name of a variable belongs.',
      hint: 'Write the name of the variable, such as STRIPE_REFUND_AGENT_KEY. If a real key stood here, change it: this file is read by others.',
    };
  }
  if (!VARIABLE_NAME.test(name)) {
    return {
      message: 'is not valid: a variable name such as STRIPE_REFUND_AGENT_KEY.',
      hint: 'A variable name such as STRIPE_REFUND_AGENT_KEY.',
    };
  }
  const taken = TAKEN.find(([pattern]) => pattern.test(name.toUpperCase()));
  if (taken === undefined) return undefined;
  return {
    message: `names ${name.toUpperCase() === name ? name : `${name} (${name.toUpperCase()})`}, which is taken: ${taken[1]}.`,
    hint: 'Write a name of its own for this agent, such as STRIPE_REFUND_AGENT_KEY.',
  };
}
