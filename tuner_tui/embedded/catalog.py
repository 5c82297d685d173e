"""The tools of `sample_data`: plausible ones, in two lists whose words do not overlap.

`TRAINING` serves every file but the held-out split; `HELD_OUT` serves that one alone, and the verbs
and things of its tools are `words.RESERVED`: the pre-training text is never made of them.
The notation is that of `tools.parse_tool`.
"""

from tuner_tui.embedded.tools import Tool, parse_tool


def _parse(text: str) -> tuple[Tool, ...]:
    return tuple(parse_tool(line) for line in text.strip().splitlines())


TRAINING = _parse("""
get weather | Get the weather of a city. | city:place! date:date
book table | Book a table in a restaurant. | restaurant:word! guests:integer! time:time
send email | Send an email. | recipient:email! subject:phrase! urgent:boolean
create event | Create an event in the calendar. | title:phrase! date:date! time:time
cancel order | Cancel an order. | order_id:code! reason:phrase
track package | Track a package. | tracking_code:code!
search flight | Search for a flight. | origin:place! destination:place! date:date passengers:integer
play song | Play a song. | title:phrase! volume:integer
set alarm | Set an alarm. | time:time! label:phrase
convert currency | Convert an amount of money. | amount:number! from:EUR/USD/GBP! to:EUR/USD/GBP/JPY!
find recipe | Find a recipe. | ingredients:list:word! minutes:integer
add contact | Add a contact. | name:person! email:email phone:code
translate text | Translate a text. | text:phrase! language:French/German/Spanish!
check stock | Check the stock of a product. | product_code:code! warehouse:place
create invoice | Create an invoice for a customer. | customer:person! amount:number! due_date:date
open ticket | Open a support ticket. | title:phrase! priority:integer tags:list:word
assign task | Assign a task to a person. | task_id:code! person:person!
reserve room | Reserve a meeting room. | date:date! people:integer! projector:boolean
list employees | List the employees of an office. | office:place! limit:integer
resize image | Resize an image. | file:word! width:integer! height:integer!
rename file | Rename a file. | file:code! new_name:word!
calculate loan | Calculate the rate of a loan. | amount:number! years:integer! interest:number!
find hotel | Find a hotel. | city:place! stars:integer parking:boolean
renew subscription | Renew a subscription. | user:person! months:integer!
post message | Post a message to a channel. | channel:word! text:phrase!
update address | Update the address of a customer. | customer_id:code! city:place! street:phrase
log expense | Log an expense. | amount:number! category:travel/food/office! note:phrase
schedule meeting | Schedule a meeting. | person:person! date:date! time:time!
fetch report | Fetch a report. | report_id:code! format:pdf/csv/html
turn light | Turn a light on or off. | room:word! on:boolean!
set temperature | Set the temperature of a room. | room:word! degrees:number!
order taxi | Order a taxi. | address:phrase! time:time passengers:integer
rate movie | Rate a movie. | title:phrase! points:integer!
read sensor | Read a sensor. | sensor_id:code! unit:metric/imperial
create user | Create a user. | name:person! email:email! admin:boolean
delete backup | Delete a backup. | backup_id:code! force:boolean
restart server | Restart a server. | server:code! delay:integer
query database | Query a database. | table:word! limit:integer columns:list:word
measure distance | Measure the distance between two places. | start:place! end:place! unit:km/miles
count words | Count the words of a text. | text:phrase!
invite colleague | Invite colleagues to an event. | event:word! people:list:person!
compare city | Compare cities. | cities:list:place! topic:word
merge document | Merge documents. | documents:list:code! title:phrase
tag photo | Tag a photo. | photo:code! tags:list:word!
""")

HELD_OUT = _parse("""
rent kayak | Rent a kayak. | river:place! hours:integer! guide:boolean
prune orchid | Plan the pruning of an orchid. | species:word! day:date
moor sailboat | Moor a sailboat in a harbor. | harbor:place! nights:integer! captain:person
groom poodle | Book the grooming of a poodle. | owner:person! slot:time! shampoo:boolean
tune piano | Order the tuning of a piano. | place:place! keys:integer
brew espresso | Brew an espresso. | cups:integer! strength:mild/dark roast:word
forecast avalanche | Forecast the danger of an avalanche. | valley:place! altitude:number!
catalogue fossil | Enter a fossil into the collection. | specimen:code! age:number! finder:person
charter helicopter | Charter a helicopter. | origin:place! destination:place! seats:integer
ferment cabbage | Start the fermenting of cabbage. | salt:number! jars:integer
sharpen chisel | Order the sharpening of a chisel. | chisel_code:code! angle:integer
inoculate sheep | Record the vaccine of a sheep. | ear_tag:code! dose:number! vet:person
dim chandelier | Dim a chandelier. | hall:word! percent:integer!
aim telescope | Aim a telescope at a star. | star:code! exposure:number filters:list:word
polish emerald | Order the polishing of an emerald. | carats:number! jeweller:person
harvest honey | Harvest the honey of a beehive. | beehive:code! day:date! helpers:list:person
stitch quilt | Stitch a quilt. | pattern:word! colors:list:word!
rehearse ballet | Plan the rehearsal of a ballet. | dancers:list:person! stage:word
glaze pottery | Glaze a piece of pottery. | kiln:code! tint:word! degrees:integer
decipher manuscript | Decipher a manuscript. | shelf:code! alphabet:word pages:integer
subtitle documentary | Subtitle a documentary. | title:phrase! languages:list:word!
refuel tractor | Refuel a tractor. | tractor_id:code! liters:number!
summon locksmith | Call a locksmith. | street:phrase! emergency:boolean
launch balloon | Launch a balloon. | site:place! payload:number! note:phrase
""")
