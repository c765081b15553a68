/** The name under which a project's settings are found, from the working folder upwards. */
export const SETTINGS_FILE = 'keyaudit.config.yaml';
