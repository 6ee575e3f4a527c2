//! What the people of Fernhill Cycles, who rent out bicycles at stations in four cities, write about their software.

/// The words of one project.
pub(super) struct Vocabulary {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) lead: &'static str,
    /// How many issues it gets, not counting those that are filed twice.
    pub(super) issues: usize,
    /// Who works on it.
    pub(super) team: &'static [&'static str],
    /// What can break.
    pub(super) subjects: &'static [&'static str],
    /// How it breaks: continues a subject.
    pub(super) problems: &'static [&'static str],
    /// What people wish for.
    pub(super) wishes: &'static [&'static str],
    /// What has to be done.
    pub(super) chores: &'static [&'static str],
    pub(super) releases: &'static [&'static str],
}

pub(super) const PROJECTS: &[Vocabulary] = &[
    Vocabulary {
        key: "APP",
        name: "Rider app",
        description: "The app with which riders find, unlock and return bikes.",
        lead: "hana",
        issues: 74,
        team: &["hana", "chen", "ines", "jonas", "luca"],
        subjects: &[
            "Unlock button",
            "Station map",
            "Ride history",
            "Push message",
            "Damage report form",
            "Login screen",
            "Favourite stations list",
            "Ride timer",
            "Invite a friend page",
            "Accessibility menu",
        ],
        problems: &[
            "stays grey",
            "shows the data of the previous rider",
            "drains the battery",
            "loses what was typed",
            "opens twice",
            "ignores dark mode",
            "is cut off at the right edge",
            "freezes for several seconds",
        ],
        wishes: &[
            "Show the slope of a route before the ride starts",
            "Let riders reserve a bike ten minutes ahead",
            "Offer a widget with the two nearest stations",
            "Let a rider end a ride for a friend in the same group",
            "Read station names aloud for blind riders",
            "Remember the last payment method",
            "Tell riders when rain is about to start",
            "Show how many child seats a station has",
        ],
        chores: &[
            "Drop support for Android 9",
            "Replace the map tiles that are out of licence",
            "Move translations into the shared catalogue",
            "Measure cold start on the three slowest phones we support",
            "Remove the old onboarding screens",
            "Write down how a release is tested by hand",
        ],
        releases: &["Rider app 4.1", "Rider app 4.2", "Rider app 4.3", "Rider app 5.0"],
    },
    Vocabulary {
        key: "DATA",
        name: "Data and reports",
        description: "Figures for the cities, forecasts for the vans.",
        lead: "kavya",
        issues: 42,
        team: &["kavya", "emeka", "freya"],
        subjects: &[
            "Monthly city report",
            "Demand forecast",
            "Ride export",
            "Station dashboard",
            "Late return statistic",
            "Weather import",
            "Survey table",
            "Heat map of rides",
        ],
        problems: &[
            "counts a ride twice",
            "is a day behind",
            "leaves out stations without rides",
            "mixes up local time and UTC",
            "takes longer than an hour",
            "rounds small cities to zero",
            "fails without a message",
        ],
        wishes: &[
            "Break the city report down by district",
            "Forecast demand for public holidays",
            "Give the cities a feed that they can read by machine",
            "Compare this season with the last one on one page",
            "Show how long bikes wait for repair",
        ],
        chores: &[
            "Delete ride traces after ninety days as the privacy notice says",
            "Move the nightly jobs to the new scheduler",
            "Document every column of the ride table",
            "Check the figures of March against the invoices",
        ],
        releases: &["Spring report", "Summer report", "Autumn report"],
    },
    Vocabulary {
        key: "FLEET",
        name: "Fleet care",
        description: "Repairs, batteries and the vans that move bikes between stations.",
        lead: "dara",
        issues: 56,
        team: &["dara", "emeka", "jonas", "freya"],
        subjects: &[
            "Repair ticket",
            "Battery swap list",
            "Van route planner",
            "Spare parts stock",
            "Lock firmware update",
            "Bike passport",
            "Brake inspection reminder",
            "Workshop calendar",
        ],
        problems: &[
            "lists bikes that were scrapped",
            "disappears after saving",
            "sends the mechanic to the wrong station",
            "cannot be printed",
            "stops halfway",
            "does not save photos",
            "counts parts below zero",
            "forgets the filter",
        ],
        wishes: &[
            "Plan van routes around the low emission zones",
            "Order brake pads when fewer than forty are left",
            "Show mechanics the last three repairs of a bike",
            "Rank stations by how many bikes stand there broken",
            "Let drivers report a blocked station with one photo",
            "Group battery swaps by street",
        ],
        chores: &[
            "Import the serial numbers of the spring delivery",
            "Retire the spreadsheet for winter storage",
            "Agree on names for the forty kinds of damage",
            "Train two mechanics per city on the new lock",
            "Write the checklist for cargo bikes",
        ],
        releases: &["Fleet care 2.6", "Fleet care 2.7", "Fleet care 3.0"],
    },
    Vocabulary {
        key: "PAY",
        name: "Payments",
        description: "Cards, invoices, deposits and refunds.",
        lead: "goran",
        issues: 62,
        team: &["goran", "kavya", "luca", "chen"],
        subjects: &[
            "Deposit refund",
            "Monthly invoice",
            "Voucher code field",
            "Card check",
            "Receipt mail",
            "Late return fee",
            "Family pass renewal",
            "Company account limit",
            "Direct debit mandate",
        ],
        problems: &[
            "is booked twice",
            "shows the wrong VAT rate",
            "arrives a day late",
            "rejects valid cards",
            "rounds the amount down",
            "is missing the company name",
            "times out",
            "cannot be cancelled",
        ],
        wishes: &[
            "Let companies pay once a quarter",
            "Offer a pass for ten single rides",
            "Refund part of the deposit when one of two bikes is back",
            "Send one receipt for a whole group booking",
            "Warn riders before the late return fee starts",
            "Show prices with and without VAT to business customers",
        ],
        chores: &[
            "Renew the contract with the card processor",
            "Reconcile September with the bank statement",
            "Remove card numbers from the support mailbox",
            "Move refunds to the new ledger",
            "Test every voucher kind against the price list",
        ],
        releases: &["Payments 7", "Payments 8", "Payments 9"],
    },
    Vocabulary {
        key: "RENT",
        name: "Rental desk",
        description: "What staff at the stations use to book, hand out and take back bikes.",
        lead: "mara",
        issues: 68,
        team: &["ines", "hana", "dara", "luca", "mara"],
        subjects: &[
            "Booking form",
            "Return dialogue",
            "Group booking",
            "Helmet add-on",
            "Opening hours check",
            "Walk-in checkout",
            "Waiver page",
            "Tandem stock count",
            "Customer search",
        ],
        problems: &[
            "loses the entered dates",
            "accepts a return in the past",
            "shows a free bike that is out",
            "prints in the wrong language",
            "needs two clicks to react",
            "signs the clerk out",
            "offers sizes that we do not stock",
            "sends the confirmation twice",
        ],
        wishes: &[
            "Take a booking over the phone without an e-mail address",
            "Print a map of the day tour with the rental contract",
            "Swap a bike during a rental without a new contract",
            "Show clerks which helmets are due for replacement",
            "Keep a waiting list for cargo bikes on Saturdays",
            "Let regular customers skip the waiver",
        ],
        chores: &[
            "Replace the receipt printers in the two oldest stations",
            "Enter the opening hours of the winter season",
            "Clean up customers that were entered twice",
            "Translate the waiver into Danish and Polish",
            "Rehearse a day without internet at one station",
        ],
        releases: &["Desk 24.10", "Desk 25.1", "Desk 25.2", "Desk 26.1"],
    },
    Vocabulary {
        key: "SEC",
        name: "Security",
        description: "Findings and hardening. Restricted: viewers do not see it.",
        lead: "goran",
        issues: 22,
        team: &["goran", "emeka", "chen"],
        subjects: &["Password reset link", "Station tablet", "Admin session", "Partner API key", "Backup archive", "Audit log"],
        problems: &[
            "stays valid for a week",
            "can be guessed",
            "shows up in a log file",
            "is not revoked when somebody leaves",
            "misses failed sign-ins",
        ],
        wishes: &[
            "Sign lock firmware with a key of our own",
            "Require a second factor for refunds over 500 euros",
            "Alert on sign-ins from two countries within an hour",
        ],
        chores: &[
            "Rotate the keys of the card processor",
            "Prepare the yearly penetration test",
            "Review who still has admin rights",
        ],
        releases: &["Hardening autumn", "Hardening spring"],
    },
];

/// When something breaks: continues a problem.
pub(super) const CONDITIONS: &[&str] = &[
    "after a reload",
    "on slow connections",
    "when two tabs are open",
    "for guests without an account",
    "around the change to winter time",
    "on Android 15",
    "on older iPhones",
    "when the station is offline",
    "for groups of more than eight",
    "with an expired session",
    "in the French version",
    "on the first of the month",
];

pub(super) const STATIONS: &[&str] =
    &["Harbour Gate", "Old Mill", "University", "North Station", "Botanic Garden", "Market Square", "Castle Hill", "Riverside"];

/// What it costs us.
pub(super) const CONSEQUENCES: &[&str] = &[
    "Support gets about five mails a day about it.",
    "Staff work around it with pen and paper.",
    "One customer has asked for her money back.",
    "So far only our own testers have noticed.",
    "The city asked about it in the last meeting.",
    "It costs each clerk some minutes per customer.",
    "Nobody is blocked, but it looks careless.",
];

pub(super) const REASONS: &[&str] = &[
    "Asked for by three stations since spring.",
    "Came up in most of the interviews of the summer survey.",
    "Two competitors have it, and riders mention that.",
    "Would save the van drivers about an hour a day.",
    "The city made it a condition for the next contract.",
];

pub(super) const NOTES: &[&str] = &[
    "Best done before the season starts.",
    "Nobody has an overview at the moment; start by making a list.",
    "The old documentation is on the shared drive and partly out of date.",
    "Ask the station managers first, they know the exceptions.",
    "Half of it was done last year, see the closed issues.",
];

/// Comments; `{station}` stands for the name of a station.
pub(super) const COMMENTS: &[&str] = &[
    "I can reproduce this at {station}, every time.",
    "Could not reproduce it on my phone. Which version is it?",
    "Happened again at {station} this morning.",
    "The cause seems to be a value that we cache for too long.",
    "I have a fix, it needs a second pair of eyes.",
    "Let us take this into the next release, it is small.",
    "Waiting for an answer from {station}.",
    "Talked to the manager of {station}: a workaround is good enough until spring.",
    "This is not only {station}, I see it in three cities.",
    "Attached the log of the tablet to the shared folder.",
    "Is this still wanted? There was no activity for a while.",
    "Tested on the staging system, looks good.",
    "We should write a test for this before we touch it.",
    "Lowering the priority, the workaround holds.",
    "The supplier promised an update for next week.",
    "A customer at {station} described it very clearly, I added the steps above.",
];

/// Name and what it is for, and a colour.
pub(super) const LABELS: &[(&str, &str, &str)] = &[
    ("accessibility", "Riders or staff with disabilities are affected", "#5319e7"),
    ("customer-report", "Came from a customer", "#fbca04"),
    ("good-first-issue", "Small and well described: a good start for newcomers", "#0e8a16"),
    ("hardware", "Locks, tablets, printers, vans", "#6b4c2a"),
    ("legal", "A law or a contract asks for it", "#b60205"),
    ("performance", "Too slow or too hungry", "#d4c5f9"),
    ("regression", "Worked before the last release", "#d93f0b"),
    ("translation", "Wording in one of our languages", "#1d76db"),
    ("waiting", "Somebody outside of the team has to act first", "#cccccc"),
];

/// Handle, name, role (`a`dmin, `m`ember, `v`iewer), team, day of joining.
pub(super) const USERS: &[(&str, &str, char, &str, &str)] = &[
    ("ada", "Ada Okafor", 'a', "operations", "2021-03-01"),
    ("bob", "Bob Lindqvist", 'v', "city relations", "2024-05-13"),
    ("chen", "Chen Wei", 'm', "engineering", "2022-01-10"),
    ("dara", "Dara Flynn", 'm', "workshop", "2021-06-15"),
    ("emeka", "Emeka Obi", 'm', "engineering", "2023-09-04"),
    ("freya", "Freya Holm", 'm', "workshop", "2025-02-03"),
    ("goran", "Goran Petrov", 'a', "engineering", "2021-03-01"),
    ("hana", "Hana Suzuki", 'm', "engineering", "2021-11-22"),
    ("ines", "Ines Duarte", 'm', "stations", "2022-04-19"),
    ("jonas", "Jonas Keller", 'm', "engineering", "2026-09-01"),
    ("kavya", "Kavya Rao", 'm', "engineering", "2022-08-08"),
    ("luca", "Luca Moretti", 'm', "stations", "2023-03-27"),
    ("mara", "Mara Novak", 'm', "stations", "2021-05-03"),
    ("noor", "Noor Haddad", 'v', "support", "2024-10-07"),
];

/// The one who left.
pub(super) const LEFT: &str = "mara";
