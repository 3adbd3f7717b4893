import type { Translation } from './letters';

const NOT_YOU =
  'Wenn du das nicht warst, setze jetzt dein Passwort zurück und beende in den Einstellungen alle Sitzungen deines Kontos.';

export const de: Translation = {
  greeting: (name) => `Hallo ${name},`,
  closing: (site) => `Diese Mail kommt von ${site}, weil dort jemand diese Adresse angegeben hat.`,
  letters: {
    verifyEmail: ({ hours }, site) => ({
      subject: `${site}: Bestätige deine E-Mail-Adresse`,
      paragraphs: [
        `bitte bestätige, dass dies deine Adresse bei ${site} ist. Der Link gilt einmal, ${hours} Stunden lang.`,
        'Wenn du dich nicht angemeldet hast, brauchst du nichts zu tun.',
      ],
      action: 'Adresse bestätigen',
    }),
    resetPassword: ({ minutes }, site) => ({
      subject: `${site}: Wähle ein neues Passwort`,
      paragraphs: [
        `jemand, hoffentlich du, möchte ein neues Passwort bei ${site}. Der Link gilt einmal, ${minutes} Minuten lang.`,
        'Wenn du das nicht warst, brauchst du nichts zu tun: dein Passwort bleibt, wie es ist.',
      ],
      action: 'Neues Passwort wählen',
    }),
    changeEmail: ({ hours }, site) => ({
      subject: `${site}: Bestätige deine neue E-Mail-Adresse`,
      paragraphs: [
        `dies soll deine Adresse bei ${site} werden. Der Link gilt einmal, ${hours} Stunden lang.`,
        'Wenn du das nicht möchtest, brauchst du nichts zu tun.',
      ],
      action: 'Diese Adresse verwenden',
    }),
    emailChanged: ({ newAddress }, site) => ({
      subject: `${site}: Deine E-Mail-Adresse wurde geändert`,
      paragraphs: [`dein Konto bei ${site} gehört jetzt zur Adresse ${newAddress} und nicht mehr zu dieser.`, NOT_YOU],
    }),
    passwordChanged: (_values, site) => ({
      subject: `${site}: Dein Passwort wurde geändert`,
      paragraphs: [`das Passwort deines Kontos bei ${site} wurde geändert; andere Sitzungen wurden beendet.`, NOT_YOU],
    }),
    deletionRequested: ({ until }, site) => ({
      subject: `${site}: Dein Konto wird gelöscht`,
      paragraphs: [
        `dein Konto bei ${site} ist geschlossen und wird am ${until} endgültig gelöscht.`,
        'Wenn du es dir anders überlegst, melde dich vorher an: alles ist dann wie zuvor.',
      ],
    }),
    signInAdded: ({ provider }, site) => ({
      subject: `${site}: Du kannst dich über ${provider} anmelden`,
      paragraphs: [
        `ein Konto bei ${provider} wurde mit deinem bei ${site} verbunden und kann sich dort anmelden.`,
        NOT_YOU,
      ],
    }),
    secondFactorChanged: ({ on }, site) => ({
      subject: `${site}: Zwei-Faktor-Anmeldung ${on ? 'eingeschaltet' : 'ausgeschaltet'}`,
      paragraphs: [
        `die Zwei-Faktor-Anmeldung deines Kontos bei ${site} wurde ${on ? 'eingeschaltet' : 'ausgeschaltet'}.`,
        NOT_YOU,
      ],
    }),
  },
};
