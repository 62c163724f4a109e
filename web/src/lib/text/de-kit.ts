import type { KitWords } from './en-kit';

/** Words of recovery kits, in German. */
export const deKit: KitWords = {
  page: (day, whom) => `HOLDFAST-RETTUNGSBLATT, gemacht am ${day}

Dieses Blatt holt Ihre Dateien heim, auch wenn es den Dienst, der sie aufbewahrte, nicht mehr gibt. Wer es hat, kann sie
alle lesen: Verwahren Sie es wie einen Reisepass. Drucken Sie es; ein Blatt gehört dorthin, wo Sie wohnen, eines anderswo.

Was zu tun ist: Besorgen Sie auf einem beliebigen Rechner das Programm holdfast-rescue, speichern Sie dieses Blatt als Datei
mit dem Namen kit.txt, und geben Sie ein:

    holdfast-rescue --kit kit.txt --out meine-dateien

Es fragt nach Orten, an denen Ihre Dateien liegen; die, an denen sie lagen, als dieses Blatt gemacht wurde, stehen unten.
Einige davon genügen, eine kopierte Platte auch, und jeder davon nennt die heutigen Orte. Konto, Passwort und Internetname
des Dienstes sind nicht nötig.

Wen man fragt: ${whom}; sonst jemanden, der sich mit Rechnern
auskennt: Dieses Blatt, das Programm und einer der Orte genügen. Zeigen Sie es nur, wem Sie Ihre Dateien anvertrauen.

Falls Sie die Zeilen unten vom Papier abtippen: Jede endet mit # und einer Prüfung, sodass ein Tippfehler gefunden und
benannt wird. Groß- und Kleinschreibung gelten, wie sie dastehen.
`,
  whom: (service, contact, address) =>
    `${service}${contact === null ? '' : ` (${contact})`} unter ${address}, solange es den Dienst gibt`,
  paper: {
    lines: 'Die Zeilen',
    wrapped: 'Was eingerückt ist, gehört zur Zeile darüber. Leerzeichen stehen nur nach dem ersten Doppelpunkt, beiderseits von | und vor #.',
    qrAll: 'Alle Zeilen, für Telefon oder Scanner',
    qrIdentity: 'Nur die Zeile „identity“: Alle Zeilen sind zu viel für einen Code',
  },
  title: 'Rettungsblatt',
  step: (n) => `Schritt ${n} von 3`,
  what: {
    title: 'Was ein Rettungsblatt ist',
    lead: 'Eine gedruckte Seite, die Ihre Dateien von den Anbietern heimholt, bei denen sie liegen, auch wenn es diesen Dienst und alle, die ihn betrieben, nicht mehr gibt. Sie braucht kein Konto und kein Passwort.',
    reads: 'Wer es hat, kann alle Ihre Dateien lesen. Verwahren Sie es wie einen Reisepass.',
    where: 'Drucken Sie es. Ein Blatt gehört dorthin, wo Sie wohnen, eines anderswohin, und keines zu einer Hosting-Firma oder in ein Postfach.',
    later: 'Was Sie später speichern, braucht kein neues. Mehrere Rettungsblätter gelten nebeneinander, bis Sie eines widerrufen.',
    secret: 'Sein Geheimnis entsteht in diesem Browser und steht allein auf dem Blatt. Der Dienst bekommt es nie; darum kann Ihnen niemand dieses Blatt ein zweites Mal geben.',
    plain: 'Diese Seite kam unverschlüsselt zu Ihnen (http). Wer auf dem Weg sitzt, könnte sie verändert haben: Machen Sie das Rettungsblatt besser über https.',
    make: 'Rettungsblatt machen',
    making: 'Der Dienst versiegelt den Schlüssel Ihrer Dateien auch für dieses Rettungsblatt. Das dauert einige Sekunden.',
  },
  keep: {
    title: 'Aufbewahren',
    lead: (id) => `Rettungsblatt ${id} ist gemacht. Es wird nur jetzt gezeigt: Drucken Sie es, und speichern Sie es für die Probe.`,
    lines: 'Die Zeilen des Rettungsblatts, mit seinem Geheimnis',
    print: 'Drucken',
    save: 'Als Datei speichern',
    printed: 'Gedruckt, wenn Ihr Drucker das auch meint: Sehen Sie auf das Papier.',
    saved: (file) => `Gespeichert als ${file}.`,
    stick: 'Eine Datei gehört auf einen Stick, der beim Papier liegt, nicht in einen Ordner, der in eine Cloud kopiert wird.',
    next: 'Weiter zur Probe',
    first: 'Drucken oder speichern Sie es erst.',
    leaving: 'Dieses Rettungsblatt ist weder gedruckt noch gespeichert. Sein Geheimnis ist fort, wenn dies schließt, und niemand kann es wieder öffnen.',
    back: 'Zurück zum Rettungsblatt',
    discard: 'Widerrufen und schließen',
    failed: 'Die Datei ließ sich nicht speichern. Versuchen Sie zu drucken; geht auch das nicht, dann widerrufen Sie dieses Rettungsblatt, denn niemand sonst hat sein Geheimnis.',
    revoke: 'Dieses Rettungsblatt widerrufen',
  },
  stray: {
    what: 'Dieses Rettungsblatt ist nicht zu gebrauchen.',
    todo: 'Der Dienst nahm seine öffentliche Hälfte, aber die Antwort ging unterwegs verloren, sodass das Blatt nicht geschrieben werden kann. Widerrufen Sie es, und machen Sie ein anderes.',
    revoke: 'Widerrufen',
  },
  test: {
    title: 'Proben',
    lead: 'Wählen Sie die Datei, die Sie gespeichert haben, oder tippen Sie die Zeilen vom Papier ab. Jede Zeile wird hier geprüft; der Text verlässt diesen Browser nicht.',
    choose: 'Datei wählen',
    file: (name) => `Sie heißt ${name}.`,
    type: 'Oder tippen oder fügen Sie die Zeilen ein',
    typeHint: 'Von „holdfast-kit:“ bis „check:“, jede mit # und dem, was darauf folgt. Groß- und Kleinschreibung gelten.',
    go: 'Proben',
    testing: 'Die Zeilen stimmen. Der Dienst wird nach dem Rettungsblatt gefragt.',
    later: 'Später proben',
  },
  good: {
    title: 'Dieses Rettungsblatt ist gut',
    lead: (id) => `Jede Zeile von Rettungsblatt ${id} ist, wie sie geschrieben wurde, und der Dienst versiegelt, was Sie speichern, für genau dieses. Die heutige Probe ist vermerkt.`,
    rid: 'Liegt die Datei noch auf diesem Gerät und haben Sie das Papier, dann löschen Sie sie hier: Wer sie findet, kann Ihre Dateien lesen.',
    rehearse: 'Gehen Sie einmal im Jahr den ganzen Weg. Dies liest allein von den Anbietern, als gäbe es den Dienst nicht mehr:',
    done: 'Fertig',
  },
  fault: {
    none: 'Darin ist kein Rettungsblatt. Eines hat Zeilen von „holdfast-kit:“ bis „check:“; vielleicht ist die erste falsch getippt.',
    operator: 'Das ist das Rettungsblatt des Betreibers, das den ganzen Dienst wiederherstellt. Wählen Sie das Ihres Kontos.',
    newer: 'Dieses Rettungsblatt ist von einer neueren Form, als diese Seite kennt. Laden Sie die Seite neu, und proben Sie noch einmal.',
    mistyped: (n) => (n === 1 ? 'Eine Zeile ist nicht, wie sie geschrieben wurde:' : 'Diese Zeilen sind nicht, wie sie geschrieben wurden:'),
    line: (n, key) => `Zeile ${n}, die mit „${key}“ beginnt`,
    mend: 'Vergleichen Sie jede mit dem Papier, Buchstabe für Buchstabe und mit dem, was auf # folgt. Ist die Datei selbst beschädigt, dann speichern Sie sie neu von einem guten Exemplar, oder machen Sie ein neues Rettungsblatt und widerrufen dieses.',
    missing: (field) => `Die Zeile „${field}“ fehlt. Kopieren Sie alle Zeilen von „holdfast-kit:“ bis „check:“.`,
    doubled: (field) => `Die Zeile „${field}“ steht mehrmals da. Jede gehört einmal dorthin, außer „address“.`,
    incomplete: 'Jede Zeile stimmt, aber es sind nicht alle da, oder sie stehen in anderer Reihenfolge. Vergleichen Sie mit dem Papier: Keine darf fehlen.',
    senseless: (field) => `Die Zeile „${field}“ sagt nichts, was ein Rettungsblatt sagen kann. Es ist nicht zu gebrauchen: Machen Sie ein neues.`,
    unknown: (id) => `Rettungsblatt ${id} ist keines von diesem Konto. Es gehört zu einem anderen Konto oder Dienst und öffnet hier nichts.`,
    other: (id, wanted) => `Das ist Rettungsblatt ${id}, ein gutes von Ihnen; das neue ist ${wanted}. Wählen Sie dessen Datei.`,
    revoked: (id, day) => `Rettungsblatt ${id} wurde ${day} widerrufen. Es öffnet nichts, was seitdem gespeichert wurde: Vernichten Sie es, und verwahren Sie ein gültiges.`,
    recipient: 'Die Zeilen stimmen, aber der Dienst versiegelt unter diesem Namen für ein anderes Geheimnis. Trauen Sie diesem Rettungsblatt nicht: Widerrufen Sie es, machen Sie ein neues, und sagen Sie es dem Betreiber.',
    unread: 'Die Datei ließ sich nicht lesen. Wählen Sie sie noch einmal.',
    long: 'Das ist viel zu lang für ein Rettungsblatt. Eines ist eine Seite Text.',
  },
};
