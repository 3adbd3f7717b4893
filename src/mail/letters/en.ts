import type { Translation } from './letters';

const NOT_YOU = 'If this was not you, reset your password now and end all sessions in the settings of your account.';

export const en: Translation = {
  greeting: (name) => `Hello ${name},`,
  closing: (site) => `This mail was sent by ${site}, because somebody used this address there.`,
  letters: {
    verifyEmail: ({ hours }, site) => ({
      subject: `${site}: confirm your e-mail address`,
      paragraphs: [
        `please confirm that this is your address at ${site}. The link works once, for ${hours} hours.`,
        'If you did not register, you can ignore this mail.',
      ],
      action: 'Confirm my address',
    }),
    resetPassword: ({ minutes }, site) => ({
      subject: `${site}: choose a new password`,
      paragraphs: [
        `somebody, hopefully you, has asked for a new password at ${site}. The link works once, for ${minutes} minutes.`,
        'If it was not you, you can ignore this mail: your password stays as it is.',
      ],
      action: 'Choose a new password',
    }),
    changeEmail: ({ hours }, site) => ({
      subject: `${site}: confirm your new e-mail address`,
      paragraphs: [
        `this is to become your address at ${site}. The link works once, for ${hours} hours.`,
        'If you did not ask for that, you can ignore this mail.',
      ],
      action: 'Use this address',
    }),
    emailChanged: ({ newAddress }, site) => ({
      subject: `${site}: your e-mail address was changed`,
      paragraphs: [
        `your account at ${site} now belongs to the address ${newAddress}, and no longer to this one.`,
        NOT_YOU,
      ],
    }),
    passwordChanged: (_values, site) => ({
      subject: `${site}: your password was changed`,
      paragraphs: [`the password of your account at ${site} was changed, and other sessions were ended.`, NOT_YOU],
    }),
    deletionRequested: ({ until }, site) => ({
      subject: `${site}: your account will be deleted`,
      paragraphs: [
        `your account at ${site} is closed, and will be erased for good on ${until}.`,
        'If you change your mind, log in before that: everything will be as it was.',
      ],
    }),
    signInAdded: ({ provider }, site) => ({
      subject: `${site}: you can log in by ${provider}`,
      paragraphs: [`an account at ${provider} was linked to yours at ${site} and can log in to it.`, NOT_YOU],
    }),
    secondFactorChanged: ({ on }, site) => ({
      subject: `${site}: two-factor sign-in was switched ${on ? 'on' : 'off'}`,
      paragraphs: [`two-factor sign-in of your account at ${site} was switched ${on ? 'on' : 'off'}.`, NOT_YOU],
    }),
  },
};
