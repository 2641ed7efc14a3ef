{"ZOR": "STANDARD", "ZRE": "RETURN", "ZEX": "EXPORT"} as $kinds
| {"ST": "PCE", "ROL": "ROL", "KAN": "CAN", "KAR": "CTN"} as $units
| {"DE": "Germany", "FR": "France", "US": "United States", "CH": "Switzerland"} as $names
| [.lines[] | {lineNo: .pos, sku, description: .desc, quantity: .qty, unit: ($units[.uom] // "PCE"),
    weightKg: (.qty * .weightKg), value: (.qty * .netPrice), batch: (.batch // "NONE"), hazardous: (.hazmat // false)}] as $items
| ([$items[].weightKg] | add) as $weight
| {
    shipmentId: ("SHP-" + .orderNo), reference: .orderNo, source: "erp", orderType: ($kinds[.type] // "STANDARD"),
    salesOrg, channel, created: .createdAt, requestedDelivery: .reqDelivery, currency, incoterm: (.incoterms // "EXW"),
    service: (if .priority <= 1 then "EXPRESS" elif .priority <= 3 then "STANDARD" else "ECONOMY" end),
    customer: {id: .customer.id, name: .customer.name, vatId: .customer.vat, segment: (.customer.group // "B2C")},
    consignee: {
      name: (.shipTo.name1 + ", " + .shipTo.name2), address: (.shipTo.street + " " + .shipTo.houseNo),
      postalCode: .shipTo.zip, city: .shipTo.city, country: .shipTo.country,
      countryName: ($names[.shipTo.country] // "Unknown"),
      phone: (.shipTo.phone // ""), email: (.shipTo.email // ""), contact: (.shipTo.contact // "n/a")
    },
    items: $items, lineCount: ($items | length), totalQuantity: ([$items[].quantity] | add), totalWeightKg: $weight,
    totalValue: ([$items[].value] | add), hasHazmat: ([$items[].hazardous] | any), oversize: ($weight > 300)
  }
