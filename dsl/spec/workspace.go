package spec

import "crossdock/dsl/ast"

// Workspace is crossdock.yaml.
type Workspace struct {
	Crossdock Text           `yaml:"crossdock" doc:"Version of the language: 1." validate:"required,oneof=1"`
	Name      Text           `yaml:"name" doc:"Name of the workspace, shown in logs and traces."`
	Defaults  Defaults       `yaml:"defaults" doc:"What applies where a definition is silent."`
	Use       []Text         `yaml:"use" doc:"Flows of the shipped library that this workspace runs." ref:"pipeline"`
	Policies  Fields[Policy] `yaml:"policies" doc:"Named policies; one may extend another." defines:"policy"`
	Verify    Fields[Verify] `yaml:"verify" doc:"Named ways to recognise who calls a webhook." defines:"verify"`
	Limits    Limits         `yaml:"limits" doc:"Bounds on what strangers can send."`
	Alerts    Fields[Alert]  `yaml:"alerts" doc:"Named receivers of alerts." defines:"alert"`
	Recent    Recent         `yaml:"recent" doc:"What is kept of messages that are done, so that crossdock plan can say what they would come to."`
	Protected []Text         `yaml:"protected" doc:"Fields that no change of definitions alters in what is sent unless somebody waives it: names such as currency, paths such as charges[].amount, or connection.operation.path."`
	Sandbox   Text           `yaml:"sandbox" doc:"strict: all jq cells run in a sandbox, apart from the memory of the process." validate:"omitempty,oneof=strict"`
	Untrusted []Text         `yaml:"untrusted" doc:"Folders with definitions by people one does not trust: their jq cells run in the sandbox, and they may not name what only people of the house may."`
}

// Defaults apply where a definition is silent.
type Defaults struct {
	Policy      Text `yaml:"policy" doc:"Policy of pipelines that name none." ref:"policy"`
	Zone        Text `yaml:"zone" doc:"IANA time zone of schedules that name none." ref:"zone"`
	Environment Text `yaml:"environment" doc:"Environment used when none is chosen." ref:"environment"`
}

// Limits bound what strangers can send.
type Limits struct {
	MaxBody  Size `yaml:"max_body" doc:"Largest message body; 1MiB unless said otherwise."`
	MaxDepth int  `yaml:"max_depth" doc:"Deepest nesting of a body; 200 unless said otherwise." validate:"omitempty,min=1,max=10000"`
}

// Recent says what is kept of messages that are done.
type Recent struct {
	Messages *int     `yaml:"messages" doc:"Messages of each pipeline, with their personal data; 100 unless said otherwise, 0 keeps none." validate:"omitempty,min=0,max=1000"`
	For      Duration `yaml:"for" doc:"How long at most; 7d unless said otherwise."`
}

// Policy says what the business tolerates.
type Policy struct {
	Node         *ast.Node   `yaml:"-"`
	Extends      Text        `yaml:"extends" doc:"Policy whose settings this one starts from." ref:"policy"`
	Priority     Text        `yaml:"priority" doc:"critical, high, normal or low." validate:"omitempty,oneof=critical high normal low"`
	Retry        *Retry      `yaml:"retry" doc:"How often and when a failed delivery is repeated."`
	Remember     Duration    `yaml:"remember" doc:"How long idempotency keys are remembered."`
	Order        Text        `yaml:"order" doc:"per_key keeps messages of one order_by in order; none lets them overtake." validate:"omitempty,oneof=per_key none"`
	SLA          Duration    `yaml:"sla" doc:"Time from reception to delivery that was promised; metrics count whether it was kept."`
	DeadLetter   *DeadLetter `yaml:"dead_letter" doc:"Where messages go that cannot be delivered."`
	Collapse     Text        `yaml:"collapse" doc:"latest_per_key: of the messages that wait with the same order_by, only the newest is worked on; the older ones end as filtered." validate:"omitempty,oneof=latest_per_key"`
	OnDeadLetter Text        `yaml:"on_dead_letter" doc:"What happens to later messages with the order_by of a dead letter: skip (default) lets them go on, block keeps them waiting until it is replayed or discarded." validate:"omitempty,oneof=skip block"`
}

// Retry says how often and when a failed delivery is repeated.
type Retry struct {
	Attempts int      `yaml:"attempts" doc:"Attempts in all, the first included; 8 unless said otherwise." validate:"omitempty,min=1,max=1000"`
	Wait     Duration `yaml:"wait" doc:"Pause before the second attempt."`
	Grow     float64  `yaml:"grow" doc:"Factor from one pause to the next." validate:"omitempty,min=1,max=100"`
	MaxWait  Duration `yaml:"max_wait" doc:"Longest pause."`
	On       []Text   `yaml:"on" doc:"What is repeated: timeout, connection, 5xx, or status numbers."`
	GiveUp   Duration `yaml:"give_up_after" doc:"How long a message waits for a system that asks for pauses or is cut off by its breaker; then it is a dead letter. 3d unless said otherwise."`
	Jitter   *float64 `yaml:"jitter" doc:"Share of a pause that is random, 0 to 1; 0.2 unless said otherwise." validate:"omitempty,min=0,max=1"`
}

// DeadLetter says where messages go that cannot be delivered.
type DeadLetter struct {
	Box   Text     `yaml:"box" doc:"Name of the dead-letter box."`
	Keep  Duration `yaml:"keep" doc:"How long dead letters are kept; then the policy discards them. 30d unless said otherwise."`
	Alert Text     `yaml:"alert" doc:"Receiver of alerts about this box: a name below alerts in crossdock.yaml." ref:"alert"`
}

// Environment is one place to run: NAME.environment.yaml.
type Environment struct {
	Name    Text         `yaml:"environment" doc:"Name of the environment." validate:"required" names:"environment"`
	Vars    Fields[Text] `yaml:"vars" doc:"Values for ${var.x}, $vars.x and vars.x; never secrets." defines:"var"`
	Secrets Secrets      `yaml:"secrets" doc:"Where ${secret.x} is looked up."`
	Reload  Reload       `yaml:"reload" doc:"What must hold before changed definitions go live."`

	Durability Text `yaml:"durability" doc:"What the store must at least promise of accepted messages: process, fsync or replicated. A store that promises less is refused." validate:"omitempty,oneof=process fsync replicated"`

	Sandbox Text `yaml:"sandbox" doc:"strict: all jq cells run in a sandbox in this environment." validate:"omitempty,oneof=strict"`

	Verify Fields[Verify] `yaml:"verify" doc:"Named webhook verifications of this environment; they win over those of crossdock.yaml." defines:"verify"`
}

// Secrets says where ${secret.x} is looked up.
type Secrets struct {
	Provider Text     `yaml:"provider" doc:"env, file or exec." validate:"omitempty,oneof=env file exec"`
	Prefix   Text     `yaml:"prefix" doc:"env: prefix of the variables; ${secret.tms_token} with XD_ reads XD_TMS_TOKEN."`
	Dir      Text     `yaml:"dir" doc:"file: folder with one file per secret, which only its owner may read."`
	Command  []Text   `yaml:"command" doc:"exec: program and arguments, run without a shell; {name} stands for the name of the secret."`
	Timeout  Duration `yaml:"timeout" doc:"exec: how long the program may take; 5s unless said otherwise."`
}

// Reload says what must hold before changed definitions go live.
type Reload struct {
	Require []Text `yaml:"require" doc:"lint, test or both." validate:"omitempty"`
	Approve Text   `yaml:"approve" doc:"Who has to approve a plan before somebody else applies it: the name of a token or person, or a role (viewer, operator, editor, admin)."`
}

// Verify is one way to recognise who calls a webhook. Exactly one key is set.
type Verify struct {
	Node             *ast.Node        `yaml:"-"`
	StandardWebhooks *StandardWebhook `yaml:"standard_webhooks" doc:"The Standard Webhooks scheme (webhook-id, webhook-timestamp, webhook-signature)."`
	HMAC             *HMAC            `yaml:"hmac" doc:"A signature over the raw bytes in a header."`
	APIKey           *APIKey          `yaml:"api_key" doc:"A shared key in a header or query parameter."`
	Basic            *Basic           `yaml:"basic" doc:"HTTP basic authentication."`
	None             bool             `yaml:"none" doc:"Anybody may call."`
}

// StandardWebhook verifies the Standard Webhooks scheme.
type StandardWebhook struct {
	Secrets   []Secret `yaml:"secrets" doc:"Active secrets, newest first; whsec_ prefix allowed." validate:"required"`
	Tolerance Duration `yaml:"tolerance" doc:"Largest distance of the timestamp from now; 5m unless said otherwise."`
}

// HMAC verifies a keyed signature over the raw bytes.
type HMAC struct {
	Header    Text     `yaml:"header" doc:"Header with the signature." validate:"required,header"`
	Algorithm Text     `yaml:"algorithm" doc:"sha256 (default), sha1 or sha512." validate:"omitempty,oneof=sha256 sha1 sha512"`
	Encoding  Text     `yaml:"encoding" doc:"hex (default) or base64." validate:"omitempty,oneof=hex base64"`
	Prefix    Text     `yaml:"prefix" doc:"Text before the signature, such as sha256=."`
	Field     Text     `yaml:"field" doc:"Name of the part with the signature where the header holds several, as in t=1,v1=abc."`
	Timestamp Text     `yaml:"timestamp" doc:"Header with the time of signing, or the name of the part in the signature header."`
	Tolerance Duration `yaml:"tolerance" doc:"Largest distance of the timestamp from now; 5m where a timestamp is given."`
	Signed    Text     `yaml:"signed" doc:"What was signed: {body} (default), or with {timestamp}, {path}, {url}, {id}."`
	ID        Text     `yaml:"id" doc:"Header with the id that {id} stands for." validate:"omitempty,header"`
	Secrets   []Secret `yaml:"secrets" doc:"Active secrets, newest first." validate:"required"`
	SecretEnc Text     `yaml:"secret_encoding" doc:"How the secrets are written: text (default), hex or base64." validate:"omitempty,oneof=text hex base64"`
}

// APIKey verifies a shared key.
type APIKey struct {
	Header Text     `yaml:"header" doc:"Header with the key." validate:"omitempty,header"`
	Query  Text     `yaml:"query" doc:"Query parameter with the key."`
	Prefix Text     `yaml:"prefix" doc:"Text before the key, such as Bearer."`
	Keys   []Secret `yaml:"keys" doc:"Active keys." validate:"required"`
}

// Basic verifies HTTP basic authentication.
type Basic struct {
	User     Text   `yaml:"user" doc:"User name." validate:"required"`
	Password Secret `yaml:"password" doc:"Password." validate:"required"`
}
